using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using ControlPlane.Text;

namespace ControlPlane.Metering;

/// <summary>The name of a machine in a tenant's data plane, such as <c>i-0abc1234def567890</c>: 1 to 64 of A–Z, a–z, 0–9 and -.</summary>
/// <remarks>No underscore and no #: they separate it from its neighbours in message ids and table keys.</remarks>
public readonly partial record struct InstanceId : ITextId<InstanceId>
{
    private readonly string? _text;

    private InstanceId(string text) => _text = text;

    public override string ToString() => TextId.Text<InstanceId>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out InstanceId id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static InstanceId Parse(string text) => TextId.Parse<InstanceId>(text);

    static string ITextId<InstanceId>.Kind => "an instance's name";

    static bool ITextId<InstanceId>.HasShape(string text) => Shape().IsMatch(text);

    static InstanceId ITextId<InstanceId>.Of(string text) => new(text);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9-]{0,63}\z")]
    private static partial Regex Shape();
}
