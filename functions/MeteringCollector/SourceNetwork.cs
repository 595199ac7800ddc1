using System.Net;
using System.Net.Sockets;
using ControlPlane.Configuration;
using ControlPlane.Http;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector;

/// <summary>What to do about a request that comes from outside its tenant's network.</summary>
internal enum SourceNetworkCheck { Enforce, Warn, Off }

/// <summary>Whether a request comes from the network of the tenant that signed it.</summary>
internal sealed class SourceNetwork(SourceNetworkCheck check, MeteringEvents events)
{
    private static readonly Problem Mismatch = new(
        403, "source-network-mismatch", "Source network mismatch", "The request does not come from the network of the tenant that signed it.");

    /// <param name="sourceIp">As API Gateway saw the peer; an absent address is outside.</param>
    /// <returns>Null when there is nothing to mind.</returns>
    public Problem? FaultOf(TenantId tenant, string? sourceIp)
    {
        if (check == SourceNetworkCheck.Off || IsInside(sourceIp, tenant))
            return null;
        events.SourceOutside(tenant, check);
        return check == SourceNetworkCheck.Enforce ? Mismatch : null;
    }

    private static bool IsInside(string? sourceIp, TenantId tenant) =>
        IPAddress.TryParse(sourceIp, out var address) && address.AddressFamily == AddressFamily.InterNetwork && tenant.Network.Contains(address);
}

internal static class SourceNetworkChecks
{
    extension(SourceNetworkCheck)
    {
        /// <exception cref="SettingException">It is none of the three words.</exception>
        public static SourceNetworkCheck Parse(string name, string text) => text switch
        {
            "enforce" => SourceNetworkCheck.Enforce,
            "warn" => SourceNetworkCheck.Warn,
            "off" => SourceNetworkCheck.Off,
            _ => throw new SettingException(name, "is not enforce, warn or off"),
        };
    }
}
