using System.Globalization;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Arguments;

/// <summary>An engine's address as typed, <c>10.106.128.10:5678</c>; the port may be left out, and is always the same.</summary>
internal static class EngineText
{
    public static bool TryParse(string text, TenantId tenant, bool allowPublicSubnet, out EngineAddress engine)
    {
        var port = text.IndexOf(':', StringComparison.Ordinal);
        engine = default;
        return (port < 0 || text[(port + 1)..] == PortText) && EngineAddress.TryParse(port < 0 ? text : text[..port], tenant, allowPublicSubnet, out engine);
    }

    public static string Format(EngineAddress engine) => $"{engine}:{PortText}";

    /// <summary>Which addresses the tenant's engine may have, and how to allow the others.</summary>
    public static string Mend(TenantId tenant, bool allowPublicSubnet)
    {
        var prefix = tenant.Network.BaseAddress.ToString()[..^".0.0".Length];
        return $"{tenant}'s engine is an IPv4 address in {prefix}.128.0/20, {prefix}.144.0/20 or {prefix}.160.0/20"
            + (allowPublicSubnet ? $", or in the public {prefix}.0.0/20, {prefix}.16.0/20 or {prefix}.32.0/20" : " (with --allow-public-subnet also in the public subnets)")
            + $", not one of the five that AWS keeps in each, on port {PortText}";
    }

    private static string PortText => EngineAddress.Port.ToString(CultureInfo.InvariantCulture);
}
