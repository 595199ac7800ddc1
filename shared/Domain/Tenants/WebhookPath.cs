using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ControlPlane.Text;

namespace ControlPlane.Tenants;

/// <summary>Where an engine listens for one workflow, below <c>/webhook/</c>: 1 to 64 of A–Z, a–z, 0–9, _ and -.</summary>
/// <remarks>One segment without dots, so that no path leads elsewhere.</remarks>
[JsonConverter(typeof(TextIdConverter<WebhookPath>))]
public readonly partial record struct WebhookPath : ITextId<WebhookPath>
{
    private readonly string? _text;

    private WebhookPath(string text) => _text = text;

    /// <summary>The path of a workflow for which none was named.</summary>
    public static WebhookPath Of(WorkflowName name) => Parse(name.ToString());

    public override string ToString() => TextId.Text<WebhookPath>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out WebhookPath id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static WebhookPath Parse(string text) => TextId.Parse<WebhookPath>(text);

    static string ITextId<WebhookPath>.Kind => "a webhook path";

    static bool ITextId<WebhookPath>.HasShape(string text) => Shape().IsMatch(text);

    static WebhookPath ITextId<WebhookPath>.Of(string text) => new(text);

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z")]
    private static partial Regex Shape();
}
