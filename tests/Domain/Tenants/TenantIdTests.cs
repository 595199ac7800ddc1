using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Tenants;

public class TenantIdTests
{
    [Theory]
    [InlineData("tenant-1", "10.100.0.0/16")]
    [InlineData("tenant-2", "10.101.0.0/16")]
    [InlineData("tenant-43", "10.142.0.0/16")]
    [InlineData("tenant-155", "10.254.0.0/16")]
    [InlineData("tenant-156", "10.255.0.0/16")]
    public void A_tenants_number_decides_its_network(string text, string network) => Assert.Equal(network, TenantId.Parse(text).Network.ToString());

    [Fact]
    public void All_156_networks_are_apart()
    {
        var networks = Enumerable.Range(1, TenantId.Highest).Select(n => TenantId.Parse($"tenant-{n}").Network).ToHashSet();

        Assert.Equal(156, networks.Count);
    }

    public static TheoryData<string?> NoTenants => new(
        null, "", "tenant-0", "tenant-157", "tenant-256", "tenant-4294967297", "tenant--1", "tenant-01", "tenant-1.0", "tenant-1e2", "tenant-+1", "tenant-٣",
        "tenant-３",
        "Tenant-1", "tenant-1 ", " tenant-1", "tenant-1\n", "tenant-1\0", "tenant-1\u200b", "ten\u0430nt-1", "tenant-", "tenant-" + new string('1', 1 << 20));

    [Theory]
    [MemberData(nameof(NoTenants))]
    public void Any_other_spelling_names_no_tenant(string? text) => Assert.False(TenantId.TryParse(text, out _));

    [Fact]
    public void The_default_value_cannot_pass_for_a_tenant() => Assert.Throws<InvalidOperationException>(() => default(TenantId).ToString());
}
