using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>What holds for the hub's VPC and for every tenant's: nothing is open by default, and every flow is written down for a while.</summary>
public sealed class VpcTests
{
    /// <summary>What AWS's own format leaves out: who is behind a NAT, which way a flow left, why it was refused.</summary>
    private static readonly string[] Asked =
        ["vpc-id", "subnet-id", "tcp-flags", "pkt-srcaddr", "pkt-dstaddr", "flow-direction", "traffic-path", "reject-reason"];

    public static TheoryData<string> Templates => ["infra/network.template", "infra/tenant-data-plane.template"];

    [Theory]
    [MemberData(nameof(Templates))]
    public void It_is_shut_and_written_down(string template) => Assert.Empty(Findings(Template.Read(template)));

    public static TheoryData<string, string, Action<JsonObject>> PlantedErrors => new()
    {
        { "the default group stays open", "infra/network.template", root => root.Drop("Resources/DefaultGroupLocked") },
        { "another group is emptied", "infra/tenant-data-plane.template",
            root => root.Set("Resources/DefaultGroupLocked/Properties/Parameters/GroupId/0", JsonNode.Parse("""{ "Ref": "EngineSecurityGroup" }""")) },
        { "the runbook may not empty it", "infra/network.template",
            root => root.Set("Resources/DefaultGroupRole/Properties/Policies/0/PolicyDocument/Statement/2/Action", "ec2:RevokeSecurityGroupIngress") },
        { "a public subnet hears the internet though nothing in it asked", "infra/network.template",
            root => root.Set("Resources/PublicSubnet2Excluded/Properties/InternetGatewayExclusionMode", "allow-bidirectional") },
        { "NAT instances are cut off", "infra/network.template",
            root => root.Set("Resources/PublicSubnet3Excluded/Properties/InternetGatewayExclusionMode", "allow-egress") },
        { "the subnet of a public engine hears the internet", "infra/tenant-data-plane.template",
            root => root.Set("Resources/PublicSubnet1Excluded/Properties/InternetGatewayExclusionMode", "allow-bidirectional") },
        { "flow logs in AWS's own format", "infra/network.template", root => root.Drop("Resources/FlowLog/Properties/LogFormat") },
        { "accepted flows are not written down", "infra/tenant-data-plane.template", root => root.Set("Resources/FlowLog/Properties/TrafficType", "REJECT") },
        { "flow logs are kept for ever", "infra/network.template", root => root.Drop("Resources/FlowLogBucket/Properties/LifecycleConfiguration") },
        { "flow logs may be public", "infra/tenant-data-plane.template",
            root => root.Set("Resources/FlowLogBucket/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy", false) },
        { "nobody may write them", "infra/network.template",
            root => root.At("Resources/FlowLogBucketPolicy/Properties/PolicyDocument/Statement").AsArray().RemoveAt(0) },
        { "refused packets are not counted", "infra/tenant-data-plane.template", root => root.Drop("Resources/PeeringDropsToHub") },
        { "a subnet has no ACL", "infra/tenant-data-plane.template", root => root.Drop("Resources/PrivateSubnet2Acl") },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, string template, Action<JsonObject> plant) =>
        Assert.True(Findings(Template.Read(template).With(plant)).Count > 0, $"Nothing found although {error}.");

    private static List<string> Findings(Template template)
    {
        var findings = new List<string>();
        var stack = Deploy(template);
        DefaultGroupIsLocked(stack, findings);
        FlowsAreWrittenDown(stack, findings);
        foreach (var (id, _) in stack.OfType("AWS::EC2::Subnet"))
            if (!stack.OfType("AWS::EC2::SubnetNetworkAclAssociation").Any(one => (string?)one.Properties["SubnetId"] == stack.IdOf(id)))
                findings.Add($"{id} has AWS's default ACL");
        if (stack.OfType("AWS::EC2::VPCBlockPublicAccessOptions").Any())
            findings.Add("a switch of the whole account is turned without being asked");
        foreach (var (parameters, open) in Openings(template))
        {
            var blocked = Deploy(template, [("BlockPublicAccess", "on"), .. parameters]);
            var modes = blocked.OfType("AWS::EC2::VPCBlockPublicAccessOptions").Select(one => (string?)one.Properties["InternetGatewayBlockMode"]);
            if (!modes.SequenceEqual(["block-ingress"]))
                findings.Add("BlockPublicAccess=on blocks nothing");
            var heard = blocked.OfType("AWS::EC2::VPCBlockPublicAccessExclusion")
                .Where(one => (string?)one.Properties["InternetGatewayExclusionMode"] == "allow-bidirectional")
                .Select(one => blocked.Resources.Keys.Single(id => blocked.IdOf(id) == (string?)one.Properties["SubnetId"])).Order();
            if (!open.SequenceEqual(heard))
                findings.Add($"{string.Join(' ', parameters)}: {string.Join(' ', heard)} hear the internet");
        }
        return findings;
    }

    // A NAT instance hears its answers through the internet gateway, a NAT gateway does not; the admin balancer has visitors.
    private static IEnumerable<((string Name, string Value)[] Parameters, string[] Open)> Openings(Template template) =>
        template.Name == "infra/network.template"
        ?
        [
            ([], ["PublicSubnet1", "PublicSubnet2", "PublicSubnet3"]),
            ([("NatMode", "gateway")], []),
            (
                [
                    ("NatMode", "gateway"), ("AdminLoadBalancer", "on"), ("AdminClientCidr", "198.51.100.0/24"),
                    ("AdminCertificateArn", "arn:aws:acm:us-east-1:111111111111:certificate/one"),
                ],
                ["PublicSubnet1", "PublicSubnet2", "PublicSubnet3"]),
        ]
        :
        [
            ([], ["PublicSubnet1", "PublicSubnet2", "PublicSubnet3"]),
            ([("NatPerZone", "false")], ["PublicSubnet1"]),
            ([("EngineInPublicRange", "true")], ["PublicSubnet2", "PublicSubnet3"]),
            ([("EngineInPublicRange", "true"), ("NatPerZone", "false")], ["PublicSubnet2"]),
        ];

    private static void DefaultGroupIsLocked(Stack stack, List<string> findings)
    {
        var group = $"{stack.IdOf("Vpc")}.DefaultSecurityGroup";
        var locks = stack.OfType("AWS::SSM::Association").Select(one => one.Properties)
            .Where(one => (string?)one["Name"] == "AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules")
            .SingleOrDefault(one => one["Parameters"]!["GroupId"].Texts().SequenceEqual([group]));
        if (locks is null)
        {
            findings.Add("the default security group lets its members talk");
            return;
        }
        var role = stack.Resources.Keys.Single(id => $"{stack.IdOf(id)}.Arn" == locks["Parameters"]!["AutomationAssumeRole"].Texts().Single());
        var allowed = stack.Properties(role)["Policies"].Many().SelectMany(policy => policy["PolicyDocument"]!["Statement"].Many())
            .Where(statement => statement["Resource"].Texts().Any(arn => arn == "*" || arn.EndsWith(group, StringComparison.Ordinal)))
            .SelectMany(statement => statement["Action"].Texts());
        string[] needed = ["ec2:DescribeSecurityGroups", "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"];
        findings.AddRange(needed.Except(allowed).Select(action => $"the runbook may not {action}"));
    }

    private static void FlowsAreWrittenDown(Stack stack, List<string> findings)
    {
        var logs = stack.OfType("AWS::EC2::FlowLog").Select(one => one.Properties).ToDictionary(one => $"{one["TrafficType"]} to {one["LogDestinationType"]}");
        var kept = logs.GetValueOrDefault("ALL to s3");
        if (kept?["LogFormat"] is not { } format || Asked.Any(field => !format.ToString().Contains($"${{{field}}}", StringComparison.Ordinal)))
            findings.Add("flows are not written to S3 as an investigation needs them");
        var bucket = stack.Properties("FlowLogBucket");
        if (bucket["LifecycleConfiguration"]?["Rules"].Many().Any(rule => rule["ExpirationInDays"]?.ToString() == "30") is not true)
            findings.Add("flow logs are never forgotten");
        if (bucket["PublicAccessBlockConfiguration"]?.AsObject().Count(one => (bool)one.Value!) != 4 || bucket["BucketEncryption"] is null)
            findings.Add("the bucket of flow logs is open or in the clear");
        var writers = stack.Properties("FlowLogBucketPolicy")["PolicyDocument"]!["Statement"].Many()
            .Where(one => one["Action"].Texts().Contains("s3:PutObject"));
        if (!writers.Any(one => one["Principal"] is JsonObject who && (string?)who["Service"] == "delivery.logs.amazonaws.com"))
            findings.Add("the log delivery may not write");

        // The alarm on the peering counts what is refused, both ways, in AWS's own format.
        var refused = logs.GetValueOrDefault("REJECT to cloud-watch-logs");
        if (refused is null || refused["LogFormat"] is not null)
            findings.Add("refused packets are not written where the alarm counts");
        var alarm = stack.Properties("PeeringDropsAlarmed");
        if (stack.OfType("AWS::Logs::MetricFilter").Count(one => (string?)one.Properties["LogGroupName"] == (string?)refused?["LogGroupName"]
            && (string?)one.Properties["MetricTransformations"]![0]!["MetricNamespace"] == (string?)alarm["Namespace"]
            && (string?)one.Properties["MetricTransformations"]![0]!["MetricName"] == (string?)alarm["MetricName"]) != 2)
            findings.Add("refused packets are not counted both ways");
        if ($"{alarm["Statistic"]} {alarm["Period"]} {alarm["Threshold"]}" != "Sum 300 1000")
            findings.Add("the alarm on refused packets is not the one of the documents");
    }

    private static Stack Deploy(Template template, params (string Name, string Value)[] parameters) => template.Name == "infra/network.template"
        ? Stack.Deploy(template, "network", new("111111111111"),
            [("DomainName", "example.com"), ("HostedZoneId", "Z0123456789"), ("OrganizationId", "o-0123456789"), ("NatImage", Platform.Image), .. parameters])
        : Platform.DataPlane(template, parameters: parameters);
}
