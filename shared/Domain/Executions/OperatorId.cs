using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ControlPlane.Text;

namespace ControlPlane.Executions;

/// <summary>An operator, as AWS names whoever calls (<c>arn:aws:sts::123456789012:assumed-role/operator/jane@example.com</c>), <c>local:</c> and the user
/// of the machine that runs the control plane, or <c>oidc:</c> and the subject of whoever uses the panel.</summary>
/// <remarks>https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html</remarks>
[JsonConverter(typeof(TextIdConverter<OperatorId>))]
public readonly partial record struct OperatorId : ITextId<OperatorId>
{
    private readonly string? _text;

    private OperatorId(string text) => _text = text;

    public override string ToString() => TextId.Text<OperatorId>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out OperatorId id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static OperatorId Parse(string text) => TextId.Parse<OperatorId>(text);

    static string ITextId<OperatorId>.Kind => "an operator";

    static bool ITextId<OperatorId>.HasShape(string text) => Shape().IsMatch(text);

    static OperatorId ITextId<OperatorId>.Of(string text) => new(text);

    [GeneratedRegex(@"\A(arn:aws[a-z-]*:|local:|oidc:)[A-Za-z0-9_.,:/+=@|-]{1,1000}\z")]
    private static partial Regex Shape();
}
