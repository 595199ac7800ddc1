using System.Net;
using System.Text.Json;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;
using CsCheck;

namespace ControlPlane.Tests.Domain.Tenants;

/// <summary>No text and no address leads outside a tenant's network.</summary>
public sealed class EngineAddressTests
{
    private static readonly Gen<TenantId> AnyTenant = Gen.Int[1, TenantId.Highest].Select(n => TenantId.Parse($"tenant-{n}"));

    [Theory]
    [InlineData("tenant-1", "10.100.128.10"), InlineData("tenant-2", "10.101.144.10"), InlineData("tenant-155", "10.254.160.10"),
        InlineData("tenant-156", "10.255.128.4")]
    [InlineData("tenant-43", "10.142.143.254"), InlineData("tenant-43", "10.142.175.254")]
    public void A_private_address_of_the_tenants_own_is_taken(string tenant, string text)
    {
        Assert.True(EngineAddress.TryParse(text, TenantId.Parse(tenant), allowPublicSubnet: false, out var address));
        Assert.Equal(text, address.ToString());
    }

    [Theory]
    [InlineData("10.142.1.10"), InlineData("10.142.0.4"), InlineData("10.142.47.254"), InlineData("10.142.16.4")]
    public void A_public_subnet_needs_its_permission(string text)
    {
        Assert.False(EngineAddress.TryParse(text, TenantId.Parse("tenant-43"), allowPublicSubnet: false, out _));
        Assert.True(EngineAddress.TryParse(text, TenantId.Parse("tenant-43"), allowPublicSubnet: true, out _));
    }

    [Theory]
    // outside: the neighbour, loopback, metadata, nowhere, the hub, others'
    [InlineData("10.99.0.1"), InlineData("10.101.128.10"), InlineData("127.0.0.1"), InlineData("169.254.169.254"), InlineData("169.254.170.2"),
        InlineData("0.0.0.0")]
    [InlineData("10.0.0.1"), InlineData("10.10.1.50"), InlineData("172.16.0.1"), InlineData("93.184.216.34"), InlineData("255.255.255.255"),
        InlineData("10.100.255.255")]
    // no subnet of ours, or kept by AWS
    [InlineData("10.100.0.0"), InlineData("10.100.128.0"), InlineData("10.100.128.1"), InlineData("10.100.128.2"), InlineData("10.100.128.3"),
        InlineData("10.100.143.255")]
    [InlineData("10.100.48.10"), InlineData("10.100.127.10"), InlineData("10.100.176.10"), InlineData("10.100.255.10")]
    // other spellings of 10.100.128.10 and its like
    [InlineData("10.100.32778"), InlineData("10.6586378"), InlineData("174358538"), InlineData("0x0a64800a"), InlineData("012.0144.0200.012"),
        InlineData("0xa.0x64.0x80.0xa")]
    [InlineData("10.100.128.10."), InlineData("10.100.128.256"), InlineData(" 10.100.128.10"), InlineData("10.100.128.10 "), InlineData("10.100.128.010"),
        InlineData("010.100.128.10")]
    [InlineData("10.100.128.10\n"), InlineData("10.100.128.10\0"), InlineData("１0.100.128.10"), InlineData("10。100。128。10"), InlineData("٣0.100.128.10"),
        InlineData("+10.100.128.10")]
    // other families and mappings
    [InlineData("::ffff:10.100.128.10"), InlineData("::ffff:169.254.169.254"), InlineData("::ffff:a9fe:a9fe"), InlineData("64:ff9b::a9fe:a9fe"),
        InlineData("2002:a9fe:a9fe::")]
    [InlineData("::10.100.128.10"), InlineData("::1"), InlineData("fe80::1%eth0"), InlineData("fd00:ec2::254"), InlineData("[::1]")]
    // names, and what does not belong into a host
    [InlineData("engine.tenant-1.internal"), InlineData("localhost"), InlineData("10.100.128.10.nip.io"), InlineData("user@10.100.128.10"),
        InlineData("10.100.128.10:22"), InlineData("10.100.128.10:0")]
    [InlineData("10.100.128.10:65536"), InlineData("10.100.128.10:080"), InlineData("10.100.128.10#"), InlineData("10.100.128.10?"),
        InlineData("10.100.128.10\\"), InlineData("10.100.128.10/.."), InlineData("10.100.128.10\r\n")]
    [InlineData(""), InlineData(null)]
    public void Everything_else_is_refused(string? text) =>
        Assert.False(EngineAddress.TryParse(text, TenantId.Parse("tenant-1"), allowPublicSubnet: true, out _));

    [Fact]
    public void Every_address_that_is_permitted_lies_in_a_usable_place_of_the_tenants_network() =>
        Gen.Select(AnyTenant, Gen.UInt, Gen.Bool).Sample((tenant, bits, allowPublic) =>
        {
            // Half of the tries inside the tenant's /16, else nearly all would be refused for the first octets.
            var octets = bits % 2 == 0 ? BitConverter.GetBytes(bits) : [10, (byte)(99 + tenant.Number), (byte)(bits >> 16), (byte)(bits >> 24)];
            var address = new IPAddress(octets);
            if (EngineAddress.Permits(address, tenant, allowPublic))
                AssertUsable(tenant, octets, allowPublic);
            Assert.Equal(EngineAddress.Permits(address, tenant, allowPublic), EngineAddress.TryParse(address.ToString(), tenant, allowPublic, out _));
            Assert.False(EngineAddress.Permits(address.MapToIPv6(), tenant, allowPublic));
        }, iter: 20_000);

    [Fact]
    public void No_text_reaches_an_address_outside() =>
        Gen.Select(AnyTenant, Gen.OneOf(Gen.String, Gen.String[Gen.Char["0123456789.xXabcdef:%@/ []"], 0, 20], DottedDecimal)).Sample((tenant, text) =>
        {
            if (EngineAddress.TryParse(text, tenant, allowPublicSubnet: true, out var engine))
            {
                AssertUsable(tenant, engine.Address.GetAddressBytes(), allowPublic: true);
                Assert.Equal(text, engine.ToString());
            }
        }, iter: 50_000);

    [Fact]
    public void No_host_of_the_url_tests_is_an_engine()
    {
        using var urls = Vectors.Read("wpt_urltestdata.json");
        var hosts = new HashSet<string>();
        foreach (var entry in urls.RootElement.EnumerateArray().Where(entry => entry.ValueKind == JsonValueKind.Object))
            foreach (var name in new[] { "input", "host", "hostname", "href", "pathname" })
                if (entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String)
                    hosts.Add(value.GetString()!);
        Assert.True(hosts.Count > 500);

        for (var n = 1; n <= TenantId.Highest; n++)
            foreach (var host in hosts)
                Assert.False(EngineAddress.TryParse(host, TenantId.Parse($"tenant-{n}"), allowPublicSubnet: true, out _), host);
    }

    private static Gen<string> DottedDecimal =>
        Gen.Select(Gen.OneOf(Gen.Const(10), Gen.Int[0, 300]), Gen.Int[90, 260], Gen.Int[0, 300], Gen.Int[0, 300]).Select((a, b, c, d) => $"{a}.{b}.{c}.{d}");

    private static void AssertUsable(TenantId tenant, byte[] octets, bool allowPublic)
    {
        Assert.Equal((10, 99 + tenant.Number), ((int)octets[0], (int)octets[1]));
        Assert.True(octets[2] is >= 128 and < 176 || (allowPublic && octets[2] < 48));
        Assert.False(octets[2] % 16 == 0 && octets[3] < 4);
        Assert.False(octets[2] % 16 == 15 && octets[3] == 255);
    }
}
