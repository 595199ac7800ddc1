using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Infra;

/// <summary>The numbers of docs/network.md, read from what the templates build.</summary>
public sealed partial class NetworkFactsTests
{
    private static readonly (string Subnet, string Block, string Zone)[] HubSubnets =
    [
        ("PrivateSubnet1", "10.10.0.0/20", "us-east-1a"), ("PrivateSubnet2", "10.10.16.0/20", "us-east-1b"), ("PrivateSubnet3", "10.10.32.0/20", "us-east-1c"),
        ("PublicSubnet1", "10.10.48.0/20", "us-east-1a"), ("PublicSubnet2", "10.10.64.0/20", "us-east-1b"), ("PublicSubnet3", "10.10.80.0/20", "us-east-1c"),
    ];

    private static readonly (string Subnet, int Third, char Zone)[] DataPlaneSubnets =
    [
        ("PublicSubnet1", 0, 'a'), ("PublicSubnet2", 16, 'b'), ("PublicSubnet3", 32, 'c'), ("PrivateSubnet1", 128, 'a'), ("PrivateSubnet2", 144, 'b'),
        ("PrivateSubnet3", 160, 'c'),
    ];

    [Fact]
    public void The_network_is_what_the_documents_say() => Assert.Empty(Findings(Platform.Build(["tenant-43"])));

    [Fact]
    public void The_disaster_recovery_region_has_a_range_of_its_own()
    {
        var second =
            Platform.Build([], ("VpcCidr", "10.20.0.0/16"), ("FunctionsCidr", "10.20.0.0/18"), ("PrivateSubnet1Cidr", "10.20.0.0/20"),
                ("PrivateSubnet2Cidr", "10.20.16.0/20"),
            ("PrivateSubnet3Cidr", "10.20.32.0/20"), ("PublicSubnet1Cidr", "10.20.48.0/20"), ("PublicSubnet2Cidr", "10.20.64.0/20"),
            ("PublicSubnet3Cidr", "10.20.80.0/20"));

        Assert.All(
            second.Hub.OfType("AWS::EC2::Subnet"),
            subnet => Assert.True(Cidr.Parse("10.20.0.0/16").Contains(Cidr.Parse((string)subnet.Properties["CidrBlock"]!))));
    }

    [Theory]
    [InlineData("PrivateSubnet1Cidr", "10.20.0.0/20")]
    [InlineData("FunctionsCidr", "10.20.0.0/18")]
    [InlineData("VpcCidr", "10.20.0.0/16")]
    [InlineData("VpcCidr", "10.100.0.0/16")]
    [InlineData("AdminLoadBalancer", "on")]
    [InlineData("NatMode", "none")]
    public void Parameters_that_do_not_fit_together_are_refused(string name, string value) =>
        Assert.Throws<StackRefused>(() => Platform.Build([], (name, value)));

    [Fact]
    public void A_data_plane_may_peer_with_the_standby_hub_too()
    {
        var dataPlane = Platform.DataPlane(Template.Read("infra/tenant-data-plane.template"), parameters: ("StandbyPeerVpcId", "vpc-0fedcba9876543210"));

        Assert.Equal("us-west-2", (string?)dataPlane.Properties("StandbyPeering")["PeerRegion"]);
        Assert.Equal("10.20.0.0/18", (string?)dataPlane.Properties("PrivateRoute1ToStandbyControlPlane")["DestinationCidrBlock"]);
        Assert.Equal("10.20.0.0/18", (string?)dataPlane.Properties("EngineFromStandby")["CidrIp"]);
    }

    [Fact]
    public void The_admin_name_leads_to_the_balancer_in_the_public_subnets()
    {
        var platform = Platform.Build([], ("AdminLoadBalancer", "on"), ("AdminClientCidr", "198.51.100.0/24"),
            ("AdminCertificateArn", "arn:aws:acm:us-east-1:111111111111:certificate/one"));
        var (hub, here) = (platform.Hub, platform.Here);
        var edge = Stack.Deploy(Template.Read("infra/edge.template"), "edge", here, ("OriginVerifyVersion", "01234567-89ab-cdef-0123-456789abcdef"),
            ("AdminTarget", "admin-1.elb.amazonaws.com"), ("AdminTargetZoneId", "Z35SXDOTRQ7X7K"));

        Assert.Equal(Landmarks.Zones.Select(zone => hub.IdOf($"PublicSubnet{zone}")), hub.Properties("AdminBalancer")["Subnets"].Texts());
        var record = edge.Properties("AdminRecord");
        Assert.Equal("admin.example.com", (string?)record["Name"]);
        Assert.Equal("admin-1.elb.amazonaws.com Z35SXDOTRQ7X7K", $"{record["AliasTarget"]!["DNSName"]} {record["AliasTarget"]!["HostedZoneId"]}");
        Assert.Equal($"{hub.IdOf("AdminBalancer")}.DNSName", hub.Outputs["AdminBalancerDnsName"]);
        Assert.True((bool?)record["AliasTarget"]!["EvaluateTargetHealth"]);
    }

    [Fact]
    public void Every_proof_and_every_resource_that_the_document_names_is_there()
    {
        var document = File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "network.md"));
        var rows = document[document.IndexOf("row by row", StringComparison.Ordinal)..].Split('\n')
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal));
        var names = rows.Select(row => row.Split('|')).SelectMany(cells => Name().Matches(cells[2] + cells[3]))
            .Select(match => match.Groups[1].Value).Distinct().ToList();
        var there = Template.All.Select(name => Template.Read(name).Root)
            .SelectMany(root => new[] { root["Resources"], root["Parameters"] }.OfType<JsonObject>().SelectMany(part => part.Select(one => one.Key)))
            .Concat(Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Find(), "tests"), "*Tests.cs", SearchOption.AllDirectories)
                .Select(file => Path.GetFileNameWithoutExtension(file))).ToHashSet();

        Assert.True(names.Count > 20, $"only {string.Join(' ', names)}");
        Assert.DoesNotContain(names, name => !there.Contains(Numbered().Replace(name, "${kind}1")));
    }

    [GeneratedRegex("`([A-Z]\\w+)(?:=\\w+)?`")]
    private static partial Regex Name();

    [GeneratedRegex("^(?<kind>Nat(Instance|Gateway)?)N(?=[A-Z])")]
    private static partial Regex Numbered();

    public static TheoryData<string, string, Action<JsonObject>> PlantedErrors => new()
    {
        { "a wrong VPC range", "infra/network.template",
            root => { root.Set("Parameters/VpcCidr/Default", "10.11.0.0/16"); root.Drop("Parameters/VpcCidr/AllowedValues"); } },
        { "a wrong subnet", "infra/network.template", root => { root.Set("Parameters/PublicSubnet2Cidr/Default",
            "10.10.96.0/20"); root.Drop("Parameters/PublicSubnet2Cidr/AllowedValues"); root.Drop("Rules"); } },
        { "two subnets in one zone", "infra/network.template",
            root => root.Set("Resources/PrivateSubnet2/Properties/AvailabilityZone/Fn::Sub", "${AWS::Region}a") },
        { "no DNS host names", "infra/network.template", root => root.Set("Resources/Vpc/Properties/EnableDnsHostnames", false) },
        { "a NAT of another size", "infra/network.template", root => root.Set("Parameters/NatInstanceType/Default", "t3.micro") },
        { "the NAT alarm's threshold", "infra/network.template", root => root.Set("Parameters/NatBytesOutAlarm/Default", 100000000) },
        { "the NAT alarm's periods", "infra/network.template", root => root.Set("Resources/NatInstance1BytesOut/Properties/EvaluationPeriods", 1) },
        { "the peering alarm's threshold", "infra/network.template", root => root.Set("Parameters/PeeringDropsAlarm/Default", 10000) },
        { "one route table for all zones", "infra/network.template",
            root => root.Set("Resources/PrivateSubnet2Routes/Properties/RouteTableId/Ref", "PrivateRouteTable1") },
        { "an endpoint in one zone", "infra/network.template", root => root.At("Resources/SqsInterface/Properties/SubnetIds").AsArray().RemoveAt(2) },
        { "an endpoint without private DNS", "infra/network.template",
            root => root.Set("Resources/SecretsManagerInterface/Properties/PrivateDnsEnabled", false) },
        { "no gateway endpoint to DynamoDB", "infra/network.template",
            root => root.Set("Resources/DynamoDbEndpoint/Properties/RouteTableIds", new JsonArray()) },
        { "the private record's time to live", "infra/network.template", root => root.Set("Resources/PrivateApiName/Properties/TTL/Fn::If/2", "60") },
        { "a wrong tenant subnet", "infra/tenant-data-plane.template",
            root => root.Set("Resources/PrivateSubnet2/Properties/CidrBlock/Fn::Sub/0", "${Network}.160.0/20") },
        { "a wrong tenant range", "infra/tenant-data-plane.template", root => root.Set("Mappings/TenantNetwork/tenant-43/Prefix", "10.143") },
        { "the tenant's tag", "infra/tenant-data-plane.template", root => root.At("Resources/Vpc/Properties/Tags").AsArray().RemoveAt(1) },
        { "the peering's name", "infra/tenant-data-plane.template", root => root.Set("Resources/Peering/Properties/Tags/0/Value/Fn::Sub", "to-cp") },
        { "a peering that nobody accepts", "infra/tenant-data-plane.template", root => root.Drop("Resources/Peering/Properties/PeerRoleArn") },
        { "a health check a minute", "infra/edge.template", root => root.Set("Resources/PrimaryHealthCheck/Properties/HealthCheckConfig/RequestInterval", 10) },
        { "a health check on HTTP", "infra/edge.template", root => root.Set("Resources/SecondaryHealthCheck/Properties/HealthCheckConfig/Type", "HTTP") },
        { "a failover that is none", "infra/edge.template", root => root.Set("Resources/SecondaryOriginRecord/Properties/Failover", "PRIMARY") },
        { "caching of commands", "infra/edge.template", root => root.Set("Resources/Distribution/Properties/DistributionConfig/DefaultCacheBehavior/CachePolicyId", "658327ea-f89d-4fab-a63d-7e88639e58f6") },
        { "no firewall", "infra/edge.template", root => root.Drop("Resources/Distribution/Properties/DistributionConfig/WebACLId") },
        { "no daily snapshot", "infra/backup.template",
            root => root.Set("Resources/DailySnapshot/Properties/ConfigSnapshotDeliveryProperties/DeliveryFrequency", "One_Hour") },
        { "no replica", "infra/backup.template", root => root.Drop("Resources/StateBucket/Properties/ReplicationConfiguration") },
        { "security groups are not recorded", "infra/backup.template",
            root => root.At("Resources/NetworkRecorder/Properties/RecordingGroup/ResourceTypes").AsArray().RemoveAt(1) },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, string template, Action<JsonObject> plant) =>
        Assert.True(Findings(Platform.Build(Template.Read(template).With(plant), ["tenant-43"])).Count > 0, $"Nothing found although {error}.");

    private static List<string> Findings(Platform platform)
    {
        var findings = new List<string>();
        HubIsRight(platform.Hub, Is);
        NatIsRight(platform.Hub, Is);
        EndpointsAreRight(platform.Hub, Is);
        PrivateNameIsRight(platform, Is);
        DataPlaneIsRight(platform.Tenants.Single().DataPlane, Is);
        EdgeIsRight(platform.Edge, Is);
        BackupIsRight(platform.Backup, Is);
        return findings;

        void Is(string what, string expected, JsonNode? found)
        {
            if (expected != found?.ToString())
                findings.Add($"{what} is {found?.ToString() ?? "absent"}, not {expected}");
        }
    }

    private delegate void Check(string what, string expected, JsonNode? found);

    private static void HubIsRight(Stack hub, Check is_)
    {
        is_("the hub", "10.10.0.0/16", hub.Properties("Vpc")["CidrBlock"]);
        is_("DNS support", "true", hub.Properties("Vpc")["EnableDnsSupport"]);
        is_("DNS host names", "true", hub.Properties("Vpc")["EnableDnsHostnames"]);
        foreach (var (subnet, block, zone) in HubSubnets)
        {
            is_(subnet, block, hub.Properties(subnet)["CidrBlock"]);
            is_($"{subnet}'s zone", zone, hub.Properties(subnet)["AvailabilityZone"]);
        }
        is_("private route tables", "3",
            hub.OfType("AWS::EC2::SubnetRouteTableAssociation").Where(one => one.Id.StartsWith("Private", StringComparison.Ordinal))
            .Select(one => (string)one.Properties["RouteTableId"]!).Distinct().Count());
        is_(
            "the data planes' range", "10.100.0.0/14 10.104.0.0/13 10.112.0.0/12 10.128.0.0/9",
            string.Join(' ', hub.Properties("DataPlanes")["Entries"].Many().Select(entry => entry["Cidr"])));
        is_("drops across the peerings", "1000", hub.Properties("PeeringDropsAlarmed")["Threshold"]);
        is_("drops' statistic", "Sum 300 1", Window(hub.Properties("PeeringDropsAlarmed")));
        foreach (var filter in new[] { "PeeringDropsToDataPlanes", "PeeringDropsFromDataPlanes" })
            is_($"{filter} counts", "$packets", hub.Properties(filter)["MetricTransformations"]![0]!["MetricValue"]);
    }

    private static void NatIsRight(Stack hub, Check is_)
    {
        for (var zone = 1; zone <= 3; zone++)
        {
            var group = hub.Properties($"NatGroup{zone}");
            var template = hub.OfType("AWS::EC2::LaunchTemplate").Single(one => hub.IdOf(one.Id) == (string?)group["LaunchTemplate"]!["LaunchTemplateId"])
                .Properties;
            is_($"NAT {zone}", "t3.nano", template["LaunchTemplateData"]!["InstanceType"]);
            is_($"NAT {zone} stands in", hub.IdOf($"PublicSubnet{zone}"), group["VPCZoneIdentifier"]!.Texts().Single());
            is_($"NAT {zone}'s interface stands in", hub.IdOf($"PublicSubnet{zone}"), hub.Properties($"NatInterface{zone}")["SubnetId"]);
            is_($"zone {zone} leaves by", hub.IdOf($"NatInterface{zone}"), hub.Properties($"PrivateRoute{zone}ToNat")["NetworkInterfaceId"]);
            var alarm = hub.Properties($"NatInstance{zone}BytesOut");
            is_($"NAT {zone}'s metric", "AWS/EC2 NetworkOut", $"{alarm["Namespace"]} {alarm["MetricName"]}");
            is_(
                $"NAT {zone}'s bytes are", $"AutoScalingGroupName={hub.IdOf($"NatGroup{zone}")}",
                $"{alarm["Dimensions"]![0]!["Name"]}={alarm["Dimensions"]![0]!["Value"]}");
            is_($"NAT {zone}'s threshold", "1000000000", alarm["Threshold"]);
            is_($"NAT {zone}'s window", "Sum 300 2", Window(alarm));
        }
    }

    private static void EndpointsAreRight(Stack hub, Check is_)
    {
        foreach (var gateway in new[] { "DynamoDbEndpoint", "S3Endpoint" })
            is_($"{gateway}'s route tables", "3", hub.Properties(gateway)["RouteTableIds"]!.AsArray().Count);
        foreach (var (id, service) in new[] { ("SecretsManagerInterface", "secretsmanager"), ("SqsInterface", "sqs"), ("LogsInterface", "logs"),
            ("PrivateApiInterface", "execute-api") })
        {
            is_(id, $"com.amazonaws.us-east-1.{service}", hub.Properties(id)["ServiceName"]);
            is_($"{id}'s zones", "3", hub.Properties(id)["SubnetIds"]!.AsArray().Count);
            is_($"{id}'s private DNS", "true", hub.Properties(id)["PrivateDnsEnabled"]);
        }
    }

    private static void PrivateNameIsRight(Platform platform, Check is_)
    {
        is_("the private zone", "control-plane.internal", platform.Hub.Properties("PrivateZone")["Name"]);
        var byAddress = Platform.Build(platform, ("PrivateApiRecord", "addresses")).Hub.Properties("PrivateApiName");
        is_("the private API's name", "api.control-plane.internal", byAddress["Name"]);
        is_(
            "its type, life and address", "A 300 10.10.1.50",
            $"{byAddress["Type"]} {byAddress["TTL"]} {string.Join(' ', byAddress["ResourceRecords"].Texts())}");
    }

    private static void DataPlaneIsRight(Stack dataPlane, Check is_)
    {
        is_("tenant-43's VPC", "10.142.0.0/16", dataPlane.Properties("Vpc")["CidrBlock"]);
        is_(
            "its tags", "Name=dp-tenant-43 TenantID=tenant-43",
            string.Join(' ', dataPlane.Properties("Vpc")["Tags"].Many().Select(tag => $"{tag["Key"]}={tag["Value"]}")));
        foreach (var (subnet, third, zone) in DataPlaneSubnets)
        {
            is_($"tenant-43's {subnet}", $"10.142.{third}.0/20", dataPlane.Properties(subnet)["CidrBlock"]);
            is_($"{subnet}'s zone", $"us-east-1{zone}", dataPlane.Properties(subnet)["AvailabilityZone"]);
        }
        var peering = dataPlane.Properties("Peering");
        is_("the peering's name", "dp-tenant-43-to-cp", peering["Tags"]![0]!["Value"]);
        is_("who accepts it", "arn:aws:iam::111111111111:role/control-plane-peering-accepter-us-east-1", peering["PeerRoleArn"]);
    }

    private static void EdgeIsRight(Stack edge, Check is_)
    {
        foreach (var (who, region) in new[] { ("Primary", "us-east-1"), ("Secondary", "us-west-2") })
        {
            var check = edge.Properties($"{who}HealthCheck")["HealthCheckConfig"]!;
            is_($"{who}'s health check", $"HTTPS origin-{region}.example.com:443/health every 30 s, 3 times",
                $"{check["Type"]} {check["FullyQualifiedDomainName"]}:{check["Port"]}{check["ResourcePath"]} every {check["RequestInterval"]} s, {check["FailureThreshold"]} times");
            var record = edge.Properties($"{who}OriginRecord");
            is_(
                $"{who}'s failover", $"origin.example.com {who.ToUpperInvariant()} {region} true",
                $"{record["Name"]} {record["Failover"]} {record["SetIdentifier"]} {record["AliasTarget"]!["EvaluateTargetHealth"]}");
            is_($"{who}'s check", edge.IdOf(who == "Primary" ? "PrimaryMayServe" : "SecondaryHealthCheck"), record["HealthCheckId"]);
        }
        is_("the API's name", "api.example.com", edge.Properties("ApiRecord")["Name"]);
        var distribution = edge.Properties("Distribution")["DistributionConfig"]!;
        is_("the origin", "origin.example.com", distribution["Origins"]![0]!["DomainName"]);
        is_("what is cached", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", distribution["DefaultCacheBehavior"]!["CachePolicyId"]);        // Managed-CachingDisabled
        // Managed-AllViewerExceptHostHeader
        is_("what is forwarded", "b689b0a8-53d0-40ab-baf2-68738e2966ac", distribution["DefaultCacheBehavior"]!["OriginRequestPolicyId"]);
        is_("the firewall", $"{edge.IdOf("Firewall")}.Arn", distribution["WebACLId"]);
        is_("the origin's header", "x-origin-verify", distribution["Origins"]![0]!["OriginCustomHeaders"]![0]!["HeaderName"]);
    }

    private static void BackupIsRight(Stack backup, Check is_)
    {
        is_("versions of the state", "Enabled", backup.Properties("StateBucket")["VersioningConfiguration"]?["Status"]);
        is_("the state's replica", "Enabled arn:aws:s3:::state-us-west-2", $"{backup.Properties("StateBucket")["ReplicationConfiguration"]?["Rules"]?[0]?["Status"]} {backup.Properties("StateBucket")["ReplicationConfiguration"]?["Rules"]?[0]?["Destination"]?["Bucket"]}");
        is_("the network's snapshot", "TwentyFour_Hours", backup.Properties("DailySnapshot")["ConfigSnapshotDeliveryProperties"]!["DeliveryFrequency"]);
        var recorded = backup.Properties("NetworkRecorder")["RecordingGroup"]!["ResourceTypes"].Texts().ToHashSet();
        is_("recorded", "True", recorded.IsSupersetOf(["AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup"]).ToString());
    }

    private static string Window(JsonObject alarm) => $"{alarm["Statistic"]} {alarm["Period"]} {alarm["EvaluationPeriods"]}";
}
