using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace ControlPlane.Tenants;

/// <summary>A tenant's identifier, <c>tenant-N</c> with N from 1 to 156, in its one canonical spelling.</summary>
/// <remarks>N decides the tenant's network: 10.(99 + N).0.0/16. Above 156 the second octet would not fit a byte.</remarks>
public readonly partial record struct TenantId
{
    public const int Highest = 156;

    private readonly string? _value;

    private TenantId(string value) => _value = value;

    public int Number => int.Parse(ToString().AsSpan("tenant-".Length), CultureInfo.InvariantCulture);

    /// <summary>The tenant's VPC, a /16.</summary>
    public IPNetwork Network => new(new IPAddress([10, (byte)(99 + Number), 0, 0]), 16);

    /// <exception cref="InvalidOperationException">This is <c>default(TenantId)</c>, which names no tenant.</exception>
    public override string ToString() => _value ?? throw new InvalidOperationException("default(TenantId) names no tenant.");

    public static bool TryParse([NotNullWhen(true)] string? text, out TenantId id)
    {
        var valid = text is not null && Shape().IsMatch(text);
        id = valid ? new(text!) : default;
        return valid;
    }

    /// <exception cref="FormatException"><paramref name="text"/> is not a tenant id.</exception>
    public static TenantId Parse(string text) => TryParse(text, out var id) ? id : throw new FormatException("That is not a tenant id.");

    // \z, not $: "tenant-1\n" is no tenant; [0-9], not \d: "tenant-٣" neither.
    [GeneratedRegex(@"\Atenant-([1-9]|[1-9][0-9]|1[0-4][0-9]|15[0-6])\z")]
    private static partial Regex Shape();
}
