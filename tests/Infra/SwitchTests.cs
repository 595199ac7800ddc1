using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>
/// A switch is turned on a live stack, and CloudFormation makes the new before it deletes the old: two resources that stand for one thing would collide.
/// </summary>
public sealed class SwitchTests
{
    /// <summary>What makes two resources of a type the same thing to AWS.</summary>
    private static readonly Dictionary<string, string[]> Identity = new()
    {
        ["AWS::EC2::Route"] = ["RouteTableId", "DestinationCidrBlock", "DestinationPrefixListId"],
        ["AWS::EC2::SubnetRouteTableAssociation"] = ["SubnetId"],
        ["AWS::EC2::SubnetNetworkAclAssociation"] = ["SubnetId"],
        ["AWS::EC2::NetworkAclEntry"] = ["NetworkAclId", "Egress", "RuleNumber"],
        ["AWS::EC2::EIPAssociation"] = ["AllocationId"],
        ["AWS::EC2::VPCGatewayAttachment"] = ["VpcId"],
        ["AWS::EC2::PrefixList"] = ["PrefixListName"],
        ["AWS::Route53::RecordSet"] = ["HostedZoneId", "Name", "Type", "SetIdentifier"],
        ["AWS::DynamoDB::Table"] = ["TableName"],
        ["AWS::DynamoDB::GlobalTable"] = ["TableName"],
        ["AWS::SQS::Queue"] = ["QueueName"],
        ["AWS::S3::Bucket"] = ["BucketName"],
        ["AWS::S3::BucketPolicy"] = ["Bucket"],
        ["AWS::SNS::Topic"] = ["TopicName"],
        ["AWS::SSM::Parameter"] = ["Name"],
        ["AWS::SSM::Association"] = ["AssociationName"],
        ["AWS::Logs::LogGroup"] = ["LogGroupName"],
        ["AWS::IAM::Role"] = ["RoleName"],
        ["AWS::IAM::InstanceProfile"] = ["InstanceProfileName"],
        ["AWS::SecretsManager::Secret"] = ["Name"],
        ["AWS::CloudWatch::Alarm"] = ["AlarmName"],
        ["AWS::CloudWatch::Dashboard"] = ["DashboardName"],
        ["AWS::ApiGatewayV2::DomainName"] = ["DomainName"],
        ["AWS::ApiGatewayV2::ApiMapping"] = ["DomainName", "ApiMappingKey"],
        ["AWS::Serverless::Function"] = ["FunctionName"],
        ["AWS::KMS::Alias"] = ["AliasName"],
        ["AWS::AutoScaling::AutoScalingGroup"] = ["AutoScalingGroupName"],
        ["AWS::EC2::LaunchTemplate"] = ["LaunchTemplateName"],
        ["AWS::EC2::VPCBlockPublicAccessExclusion"] = ["SubnetId"],
    };

    [Fact]
    public void No_two_resources_of_a_template_are_one_thing_to_AWS() => Assert.Empty(Template.All.SelectMany(name => Collisions(Template.Read(name))));

    [Theory]
    [InlineData("infra/network.template", "NatMode", "gateway")]
    [InlineData("infra/network.template", "NatPerZone", "false")]
    [InlineData("infra/tenant-data-plane.template", "NatPerZone", "false")]
    [InlineData("infra/tenant-data-plane.template", "EngineInPublicRange", "true")]
    public void A_switch_keeps_every_way_out_and_only_leads_it_elsewhere(string template, string parameter, string value)
    {
        var (before, after) = (Deploy(template), Deploy(template, (parameter, value)));

        Assert.Equal(WaysOut(before).Keys.Order(), WaysOut(after).Keys.Where(WaysOut(before).ContainsKey).Order());
        Assert.NotEqual(WaysOut(before), WaysOut(after));
        Assert.All(WaysOut(after).Values, target => Assert.Contains(after.Resources.Keys, id => after.IdOf(id) == target));

        static Dictionary<string, string> WaysOut(Stack stack) => stack.OfType("AWS::EC2::Route")
            .Where(one => (string?)one.Properties["DestinationCidrBlock"] == "0.0.0.0/0")
            .ToDictionary(
                one => one.Id, one => (string)(one.Properties["NatGatewayId"] ?? one.Properties["NetworkInterfaceId"] ?? one.Properties["GatewayId"])!);
    }

    /// <summary>A NAT gateway cannot start on an address that an instance still holds, and the instance goes last.</summary>
    [Fact]
    public void An_instance_and_a_gateway_never_share_an_address()
    {
        var template = Template.Read("infra/network.template");
        var instances = template.OfType("AWS::AutoScaling::AutoScalingGroup").Select(one => AddressIn(one.Resource.At("Properties/Tags"))).ToList();
        var gateways = template.OfType("AWS::EC2::NatGateway").Select(one => AddressIn(one.Resource.At("Properties/AllocationId"))).ToList();

        Assert.Equal((3, 3), (instances.Count, gateways.Count));
        Assert.Empty(instances.Intersect(gateways));

        string AddressIn(JsonNode node) =>
            template.OfType("AWS::EC2::EIP").Single(one => node.ToJsonString().Contains($"\"{one.Id}\"", StringComparison.Ordinal)).Id;
    }

    public static TheoryData<string, string, Action<JsonObject>> PlantedCollisions => new()
    {
        { "two routes for two modes", "infra/network.template",
            root => root.Set("Resources/Twin", Copy(root, "PrivateRoute1ToNat", twin => twin["Condition"] = "NatGateways")) },
        { "two records for two modes", "infra/network.template", root => root.Set("Resources/Twin", Copy(root, "PrivateApiName", _ => { })) },
        { "one rule number twice", "infra/tenant-data-plane.template", root => root.Set("Resources/PrivateAclIn130/Properties/RuleNumber", 110) },
        { "one log group twice", "infra/tenant-data-plane.template", root => root.Set("Resources/Twin", Copy(root, "FlowLogGroup", _ => { })) },
    };

    [Theory]
    [MemberData(nameof(PlantedCollisions), DisableDiscoveryEnumeration = true)]
    public void A_planted_collision_is_found(string error, string template, Action<JsonObject> plant) =>
        Assert.True(Collisions(Template.Read(template).With(plant)).Any(), $"Nothing found although {error}.");

    private static JsonNode Copy(JsonObject root, string resource, Action<JsonNode> change)
    {
        var copy = root["Resources"]![resource]!.DeepClone();
        change(copy);
        return copy;
    }

    private static IEnumerable<string> Collisions(Template template) => template.Resources
        .Select(one => (one.Key, Name: NameOf(one.Value!)))
        .Where(one => one.Name is not null)
        .GroupBy(one => one.Name)
        .Where(group => group.Count() > 1)
        .Select(group => $"{template.Name}: {string.Join(" and ", group.Select(one => one.Key))} are both {group.Key}");

    // A resource without a name of its own gets one from CloudFormation.
    private static string? NameOf(JsonNode resource)
    {
        if (!Identity.TryGetValue((string)resource["Type"]!, out var parts))
            return null;
        var named = parts.Select(part => resource["Properties"]?[part]?.ToJsonString()).ToList();
        return named[0] is null ? null : $"{resource["Type"]} {string.Join(' ', named)}";
    }

    private static Stack Deploy(string template, params (string Name, string Value)[] parameters) => template == "infra/network.template"
        ? Platform.Build([], parameters).Hub
        : Platform.DataPlane(Template.Read(template), parameters: parameters);
}
