using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace ControlPlane.Tenants;

/// <summary>Where a tenant's engine listens: an IPv4 literal inside the tenant's own subnets, always on port 5678.</summary>
/// <remarks>The one place that decides whether an address may be dialled; registration, dispatch and the connection itself all ask here.</remarks>
public readonly record struct EngineAddress
{
    public const int Port = 5678;

    private const int SubnetSize = 4096;                    // a /20

    private readonly IPAddress? _address;

    private EngineAddress(IPAddress address) => _address = address;

    public IPAddress Address => _address ?? throw new InvalidOperationException("default(EngineAddress) names no engine.");

    /// <summary>The address as dotted decimal, without the port.</summary>
    public override string ToString() => Address.ToString();

    /// <param name="text">Dotted decimal in its one canonical spelling; the octal, hexadecimal and shortened forms that parsers accept are refused.</param>
    /// <param name="allowPublicSubnet">Whether the tenant's public subnets (.0, .16 and .32) count too, beside the private ones (.128, .144, .160).</param>
    public static bool TryParse([NotNullWhen(true)] string? text, TenantId tenant, bool allowPublicSubnet, out EngineAddress engine)
    {
        engine = default;
        if (text is not { Length: > 0 and <= 15 } || !IPAddress.TryParse(text, out var address) || address.ToString() != text)
            return false;
        if (!Permits(address, tenant, allowPublicSubnet))
            return false;
        engine = new(address);
        return true;
    }

    public static bool Permits(IPAddress address, TenantId tenant, bool allowPublicSubnet)
    {
        if (address.AddressFamily != AddressFamily.InterNetwork || !tenant.Network.Contains(address))
            return false;

        Span<byte> octets = stackalloc byte[4];
        address.TryWriteBytes(octets, out _);
        var host = BinaryPrimitives.ReadUInt16BigEndian(octets[2..]);
        var subnet = host / SubnetSize;
        var inSubnet = host % SubnetSize;

        var isUsable = inSubnet is > 3 and < SubnetSize - 1;  // AWS keeps the first four addresses of a subnet and its last
        return isUsable && subnet switch { 8 or 9 or 10 => true, 0 or 1 or 2 => allowPublicSubnet, _ => false };
    }
}
