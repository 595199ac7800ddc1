using System.Net;
using System.Net.Sockets;
using ControlPlane.Configuration;
using ControlPlane.Http;
using ControlPlane.Tenants;

namespace ControlPlane.MeteringCollector;

/// <summary>What to do about a heartbeat or an outcome that comes from outside its tenant's network.</summary>
internal enum SourceNetworkCheck { Enforce, Warn, Off }

internal static class SourceNetwork
{
    public static readonly Problem Mismatch = new(
        403, "source-network-mismatch", "Source network mismatch", "The request does not come from the network of the tenant that signed it.");

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

    /// <param name="sourceIp">As API Gateway saw the peer; an absent address is outside.</param>
    public static bool IsInside(string? sourceIp, TenantId tenant) =>
        IPAddress.TryParse(sourceIp, out var address) && address.AddressFamily == AddressFamily.InterNetwork && tenant.Network.Contains(address);
}
