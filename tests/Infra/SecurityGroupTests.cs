using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>What each security group admits, rule by rule. A rule too many may be harmless today, behind an ACL or a missing route; it is refused all the
/// same.</summary>
public sealed class SecurityGroupTests
{
    private const string Nothing = "icmp 0 127.0.0.1/32";

    private static readonly Dictionary<string, (string[] In, string[] Out)> Hub = new()
    {
        ["EndpointsSecurityGroup"] = (["tcp 443 FunctionsSecurityGroup", "tcp 443 NotificationsSecurityGroup", "tcp 443 DispatcherSecurityGroup"], [Nothing]),
        ["FunctionsSecurityGroup"] = ([], ["tcp 443 EndpointsSecurityGroup", "tcp 443 pl-02cd2c6b"]),
        ["NotificationsSecurityGroup"] = ([], ["tcp 443 EndpointsSecurityGroup", "tcp 443 pl-02cd2c6b", "tcp 443 0.0.0.0/0"]),
        ["DispatcherSecurityGroup"] = ([], ["tcp 443 EndpointsSecurityGroup", "tcp 443 pl-02cd2c6b", "tcp 5678 DataPlanes"]),
        ["PrivateApiSecurityGroup"] = (["tcp 443 DataPlanes"], [Nothing]),
        ["NatSecurityGroup"] = (["tcp 443 10.10.0.0/20", "tcp 443 10.10.16.0/20", "tcp 443 10.10.32.0/20"], ["tcp 443 0.0.0.0/0"]),
    };

    private static readonly Dictionary<string, (string[] In, string[] Out)> DataPlane = new()
    {
        ["EngineSecurityGroup"] = (
            ["tcp 5678 10.10.0.0/18", "tcp 0-65535 EngineSecurityGroup"],
            ["tcp 443 0.0.0.0/0", "tcp 80 0.0.0.0/0", "tcp 0-65535 EngineSecurityGroup", "tcp 8080 ServicesSecurityGroup"]),
        ["ServicesSecurityGroup"] = (["tcp 8080 EngineSecurityGroup"], ["tcp 443 0.0.0.0/0"]),
        ["NatSecurityGroup"] = (["tcp 443 10.142.0.0/16", "tcp 80 10.142.0.0/16"], ["tcp 443 0.0.0.0/0", "tcp 80 0.0.0.0/0"]),
    };

    [Fact]
    public void Each_security_group_admits_exactly_what_the_flows_need() => Assert.Empty(Differences(Platform.Build(["tenant-43"])));

    [Fact]
    public void The_admin_panel_admits_its_office_and_the_session_host_nobody()
    {
        var rules = Rules(Platform.WithPanel(("SessionHost", "on")).Hub);
        Assert.Equal(["tcp 443 198.51.100.0/24"], rules["AdminSecurityGroup"].In);
        Assert.Equal(["tcp 443 0.0.0.0/0"], rules["AdminSecurityGroup"].Out);       // to the identity provider
        Assert.Empty(rules["SessionHostSecurityGroup"].In);
    }

    public static TheoryData<string, string, Action<JsonObject>> PlantedErrors => new()
    {
        { "engines admit everybody", "infra/tenant-data-plane.template",
            root => root.Set("Resources/EngineSecurityGroup/Properties/SecurityGroupIngress/0/CidrIp", "0.0.0.0/0") },
        { "engines admit every port", "infra/tenant-data-plane.template",
            root => root.Set("Resources/EngineSecurityGroup/Properties/SecurityGroupIngress/0/IpProtocol", "-1") },
        { "engines may send anything", "infra/tenant-data-plane.template", root => root.Drop("Resources/EngineSecurityGroup/Properties/SecurityGroupEgress") },
        { "somebody opened SSH", "infra/network.template", root => root.Set("Resources/Ssh", JsonNode.Parse(
            """{ "Type": "AWS::EC2::SecurityGroupIngress", "Properties": { "GroupId": { "Ref": "NatSecurityGroup" }, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0" } }""")) },
        { "functions may leave for the internet", "infra/network.template", root => root.Drop("Resources/FunctionsToServicesByNat/Condition") },
        { "endpoints may start connections", "infra/network.template", root => root.Drop("Resources/EndpointsSecurityGroup/Properties/SecurityGroupEgress") },
        { "the private API admits the hub", "infra/network.template",
            root => root.Set("Resources/PrivateApiSecurityGroup/Properties/SecurityGroupIngress/0", JsonNode.Parse(
            """{ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8" }""")) },
        { "a group nobody expected", "infra/network.template",
            root => root.Set("Resources/Extra", JsonNode.Parse("""{ "Type": "AWS::EC2::SecurityGroup", "Properties": { "GroupDescription": "extra" } }""")) },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, string template, Action<JsonObject> plant) =>
        Assert.True(Differences(Platform.Build(Template.Read(template).With(plant), ["tenant-43"])).Count > 0, $"Nothing found although {error}.");

    private static List<string> Differences(Platform platform) =>
        [.. Differences(Hub, Rules(platform.Hub)), .. Differences(DataPlane, Rules(platform.Tenants.Single().DataPlane))];

    private static IEnumerable<string> Differences(
        Dictionary<string, (string[] In, string[] Out)> wanted, Dictionary<string, (List<string> In, List<string> Out)> found)
    {
        foreach (var group in wanted.Keys.Union(found.Keys))
        {
            var (expected, actual) = (wanted.GetValueOrDefault(group, ([], [])), found.GetValueOrDefault(group, ([], [])));
            if (!wanted.ContainsKey(group) || !expected.Item1.Order().SequenceEqual(actual.Item1.Order())
                || !expected.Item2.Order().SequenceEqual(actual.Item2.Order()))
                yield return $"{group}: in {string.Join(", ", actual.Item1)}; out {string.Join(", ", actual.Item2)}";
        }
    }

    private static Dictionary<string, (List<string> In, List<string> Out)> Rules(Stack stack)
    {
        var rules = stack.OfType("AWS::EC2::SecurityGroup").ToDictionary(
            group => group.Id,
            group =>
                (
                    group.Properties["SecurityGroupIngress"].Many().Select(rule => InWords(stack, rule)).ToList(),
                    group.Properties["SecurityGroupEgress"].Many().Select(rule => InWords(stack, rule)).ToList()));
        foreach (var (_, rule) in stack.OfType("AWS::EC2::SecurityGroupIngress"))
            rules.Single(one => stack.IdOf(one.Key) == (string)rule["GroupId"]!).Value.Item1.Add(InWords(stack, rule));
        foreach (var (_, rule) in stack.OfType("AWS::EC2::SecurityGroupEgress"))
            rules.Single(one => stack.IdOf(one.Key) == (string)rule["GroupId"]!).Value.Item2.Add(InWords(stack, rule));
        return rules;
    }

    private static string InWords(Stack stack, JsonNode rule)
    {
        var other = (string?)(rule["CidrIp"] ?? rule["SourceSecurityGroupId"] ?? rule["DestinationSecurityGroupId"] ?? rule["SourcePrefixListId"] ?? rule["DestinationPrefixListId"]);
        var name = stack.Resources.Keys.FirstOrDefault(id => stack.IdOf(id) == other) ?? other;
        var ports = rule["FromPort"]?.ToString() == rule["ToPort"]?.ToString() ? rule["FromPort"]?.ToString() : $"{rule["FromPort"]}-{rule["ToPort"]}";
        return $"{rule["IpProtocol"]} {ports} {name}";
    }
}
