using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using ControlPlane.Text;

namespace ControlPlane.Tenants;

/// <summary>A tenant's identifier, <c>tenant-N</c> with N from 1 to 156, in its one canonical spelling.</summary>
/// <remarks>N decides the tenant's network: 10.(99 + N).0.0/16. Above 156 the second octet would not fit a byte.</remarks>
public readonly partial record struct TenantId : ITextId<TenantId>
{
    public const int Highest = 156;

    private readonly string? _text;

    private TenantId(string text) => _text = text;

    public int Number => int.Parse(ToString().AsSpan("tenant-".Length), CultureInfo.InvariantCulture);

    /// <summary>The tenant's VPC, a /16.</summary>
    public IPNetwork Network => new(new IPAddress([10, (byte)(99 + Number), 0, 0]), 16);

    public override string ToString() => TextId.Text<TenantId>(_text);

    public static bool TryParse([NotNullWhen(true)] string? text, out TenantId id) => TextId.TryParse(text, out id);

    /// <inheritdoc cref="TextId.Parse{T}"/>
    public static TenantId Parse(string text) => TextId.Parse<TenantId>(text);

    static string ITextId<TenantId>.Kind => "a tenant id";

    static bool ITextId<TenantId>.HasShape(string text) => Shape().IsMatch(text);

    static TenantId ITextId<TenantId>.Of(string text) => new(text);

    // \z, not $: "tenant-1\n" is no tenant; [0-9], not \d: "tenant-٣" neither.
    [GeneratedRegex(@"\Atenant-([1-9]|[1-9][0-9]|1[0-4][0-9]|15[0-6])\z")]
    private static partial Regex Shape();
}
