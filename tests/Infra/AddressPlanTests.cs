using System.Text.Json.Nodes;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Infra;

/// <summary>Every address range there can ever be: the hub, its standby and 156 tenants.</summary>
public sealed class AddressPlanTests
{
    private static readonly string[] EveryTenant = [.. Enumerable.Range(1, 156).Select(number => $"tenant-{number}")];

    [Fact]
    public void Nothing_overlaps_and_every_subnet_lies_in_its_vpc() => Assert.Empty(Findings(Template.Read("infra/tenant-data-plane.template")));

    [Fact]
    public void The_prefix_list_covers_the_tenants_and_nothing_else()
    {
        var list = Platform.Build([]).Hub.Properties("DataPlanes")["Entries"].Many().Select(entry => Cidr.Parse((string)entry["Cidr"]!)).ToList();

        foreach (var number in Enumerable.Range(0, 256))
        {
            var block = Cidr.Parse($"10.{number}.0.0/16");
            Assert.Equal(number >= 100, list.Any(entry => entry.Contains(block)));
            Assert.Equal(number >= 100, list.Any(entry => entry.Overlaps(block)));
        }
        Assert.Equal(156UL * 65536, list.Aggregate(0UL, (sum, entry) => sum + entry.Size));
    }

    [Fact]
    public void The_156_networks_are_those_of_the_code_and_stand_in_one_template()
    {
        Assert.Equal(["infra/tenant-data-plane.template"], Template.All.Where(name => Template.Read(name).Root["Mappings"]?["TenantNetwork"] is not null));
        var networks = Template.Read("infra/tenant-data-plane.template").Root["Mappings"]!["TenantNetwork"]!.AsObject();

        Assert.Equal(EveryTenant, networks.Select(one => one.Key));
        Assert.All(networks, one => Assert.Equal($"10.{99 + int.Parse(one.Key["tenant-".Length..], System.Globalization.CultureInfo.InvariantCulture)}",
            (string?)one.Value!["Prefix"]));
        Assert.All(networks, one => Assert.True(TenantId.TryParse(one.Key, out _)));
    }

    [Theory]
    [InlineData("tenant-0")]
    [InlineData("tenant-157")]
    [InlineData("tenant-01")]
    [InlineData("Tenant-1")]
    [InlineData("tenant-1 ")]
    [InlineData("")]
    public void A_tenant_that_cannot_be_is_refused_by_both_templates(string tenant)
    {
        Assert.Throws<StackRefused>(() => Deploy(Template.Read("infra/tenant-data-plane.template"), tenant));
        Assert.Throws<StackRefused>(() => Stack.Deploy(Template.Read("infra/tenant-peering.template"), "peering", new("111111111111"), ("TenantId", tenant),
            ("PeeringId", "pcx-0123456789abcdef0"), ("DataPlaneCidr", "10.100.0.0/16")));
    }

    [Theory]
    [InlineData("10.99.0.0/16")]
    [InlineData("10.256.0.0/16")]
    [InlineData("10.10.0.0/16")]
    [InlineData("10.142.0.0/18")]
    [InlineData("0.0.0.0/0")]
    public void A_range_that_is_no_tenants_is_refused_by_the_hub(string range) =>
        Assert.Contains("DataPlaneCidr", Assert.Throws<StackRefused>(() => Stack.Deploy(
            Template.Read("infra/tenant-peering.template"), "peering", new("111111111111"), ("TenantId", "tenant-1"), ("PeeringId", "pcx-0123456789abcdef0"),
            ("DataPlaneCidr", range))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("tenant-1", "10.100.128.0/18")]
    [InlineData("tenant-43", "10.142.128.0/18")]
    [InlineData("tenant-156", "10.255.128.0/18")]
    public void The_hub_routes_to_a_tenants_private_half_and_to_its_public_one_only_by_flag(string tenant, string route)
    {
        var account = new Account("111111111111");
        foreach (var zone in Landmarks.Zones)
            account.Parameters[$"/control-plane/network/private-route-table-{zone}"] = $"rtb-{zone}";

        Assert.Equal([route], Routes("false"));
        Assert.Equal([route, route.Replace(".128.", ".0.", StringComparison.Ordinal)], Routes("true"));

        IEnumerable<string> Routes(string flag) =>
            Stack.Deploy(Template.Read("infra/tenant-peering.template"), "peering", account, ("TenantId", tenant), ("PeeringId", "pcx-0123456789abcdef0"),
                    ("DataPlaneCidr", route.Replace(".128.0/18", ".0.0/16", StringComparison.Ordinal)), ("EngineInPublicRange", flag))
                .OfType("AWS::EC2::Route").Select(one => (string)one.Properties["DestinationCidrBlock"]!).Distinct();
    }

    public static TheoryData<string, Action<JsonObject>> PlantedErrors => new()
    {
        { "two tenants share a range", root => root.Set("Mappings/TenantNetwork/tenant-44/Prefix", "10.142") },
        { "a tenant has the hub's range", root => root.Set("Mappings/TenantNetwork/tenant-1/Prefix", "10.10") },
        { "a tenant has the standby hub's range", root => root.Set("Mappings/TenantNetwork/tenant-1/Prefix", "10.20") },
        { "two subnets overlap", root => root.Set("Resources/PrivateSubnet3/Properties/CidrBlock/Fn::Sub/0", "${Network}.144.0/20") },
        { "a subnet outside of its VPC", root => root.Set("Resources/PublicSubnet1/Properties/CidrBlock", "10.99.0.0/20") },
        { "a block that is no block", root => root.Set("Resources/PublicSubnet1/Properties/CidrBlock/Fn::Sub/0", "${Network}.8.0/20") },
        { "a tenant is missing", root => root.Drop("Mappings/TenantNetwork/tenant-100") },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(Findings(Template.Read("infra/tenant-data-plane.template").With(plant)).Count > 0, $"Nothing found although {error}.");

    private static List<string> Findings(Template dataPlane)
    {
        var findings = new List<string>();
        var hubs = new List<(string Name, Cidr Block)> { ("hub", Cidr.Parse("10.10.0.0/16")), ("standby hub", Cidr.Parse("10.20.0.0/16")) };
        foreach (var tenant in EveryTenant)
        {
            try
            {
                var stack = Deploy(dataPlane, tenant);
                var vpc = Cidr.Parse((string)stack.Properties("Vpc")["CidrBlock"]!);
                findings.AddRange(hubs.Where(other => other.Block.Overlaps(vpc)).Select(other => $"{tenant} overlaps {other.Name}"));
                hubs.Add((tenant, vpc));
                var subnets = stack.OfType("AWS::EC2::Subnet").Select(one => (one.Id, Block: Cidr.Parse((string)one.Properties["CidrBlock"]!))).ToList();
                findings.AddRange(subnets.Where(one => !vpc.Contains(one.Block)).Select(one => $"{tenant}: {one.Id} lies outside of {vpc}"));
                findings.AddRange(subnets.SelectMany(one => subnets.Where(other => other.Id != one.Id && other.Block.Overlaps(one.Block))
                    .Select(other => $"{tenant}: {one.Id} overlaps {other.Id}")));
            }
            catch (Exception e) when (e is StackRefused or FormatException)
            {
                findings.Add($"{tenant}: {e.Message}");
            }
        }
        return findings;
    }

    private static Stack Deploy(Template dataPlane, string tenant) => Platform.DataPlane(dataPlane, tenant);
}
