using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using ControlPlane.Text;

namespace ControlPlane.Tenants;

/// <summary>A public key's id: its RFC 7638 thumbprint, SHA-256 in 43 characters of base64url.</summary>
public readonly partial record struct KeyId : ITextId<KeyId>
{
    private readonly string? _text;

    private KeyId(string text) => _text = text;

    public override string ToString() => TextId.Text<KeyId>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out KeyId id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static KeyId Parse(string text) => TextId.Parse<KeyId>(text);

    static string ITextId<KeyId>.Kind => "a key id";

    static bool ITextId<KeyId>.HasShape(string text) => Shape().IsMatch(text);

    static KeyId ITextId<KeyId>.Of(string text) => new(text);

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{43}\z")]
    private static partial Regex Shape();
}
