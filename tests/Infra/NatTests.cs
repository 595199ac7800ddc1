using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>NAT that is replaced when it fails, and by nothing else than a decision.</summary>
public sealed class NatTests
{
    private const string Launch = "Resources/NatTemplate/Properties/LaunchTemplateData";

    private static readonly string[] Templates = ["infra/network.template", "infra/tenant-data-plane.template"];

    [Fact]
    public void Each_zone_has_a_group_of_one_that_is_there_when_its_instance_says_so() =>
        Assert.Empty(Templates.SelectMany(name => Findings(Template.Read(name))));

    [Fact]
    public void No_template_takes_whatever_image_is_the_latest() => Assert.Empty(Template.All.SelectMany(name => FloatingImages(Template.Read(name))));

    public static TheoryData<string, string, Action<JsonObject>> PlantedErrors => new()
    {
        { "nobody waits for the instance", "infra/network.template", root => root.Drop("Resources/NatGroup2/CreationPolicy") },
        { "an update does not wait for the instance", "infra/tenant-data-plane.template",
            root => root.Set("Resources/NatGroup1/UpdatePolicy/AutoScalingRollingUpdate/WaitOnResourceSignals", false) },
        { "an update takes the instance away first", "infra/network.template",
            root => root.Set("Resources/NatGroup1/UpdatePolicy/AutoScalingRollingUpdate/MinInstancesInService", 0) },
        { "two zones are updated at once", "infra/network.template", root => root.At("Resources/NatGroup3/DependsOn").AsArray().RemoveAt(3) },
        { "an instance holds the interface that routes lead to", "infra/network.template",
            root => root.Set($"{Launch}/NetworkInterfaces/0/NetworkInterfaceId", new JsonObject { ["Ref"] = "NatInterface1" }) },
        { "nobody may look inside", "infra/network.template", root => root.Drop("Resources/NatRole/Properties/ManagedPolicyArns") },
        { "the metadata are open to whoever asks", "infra/network.template",
            root => root.Set($"{Launch}/MetadataOptions/HttpTokens", "optional") },
        { "the tags are not in the metadata", "infra/tenant-data-plane.template",
            root => root.Drop($"{Launch}/MetadataOptions/InstanceMetadataTags") },
        { "no alarm on forwarding", "infra/tenant-data-plane.template", root => root.Drop("Resources/Nat2Forwards") },
        { "the alarm watches another instance", "infra/network.template",
            root => root.Set("Resources/Nat2Forwards/Properties/Dimensions/0/Value/Fn::Sub", "${PlatformName}-nat-1") },
        { "silence is good news", "infra/network.template", root => root.Set("Resources/Nat3Forwards/Properties/TreatMissingData", "notBreaching") },
        { "it may not claim its interface", "infra/network.template",
            root => root.Set("Resources/NatRole/Properties/Policies/0/PolicyDocument/Statement/0/Action", "ec2:DetachNetworkInterface") },
        { "it may not tell the stack", "infra/network.template",
            root => root.At("Resources/NatRole/Properties/Policies/0/PolicyDocument/Statement").AsArray().RemoveAt(7) },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, string template, Action<JsonObject> plant) =>
        Assert.True(Findings(Template.Read(template).With(plant)).Any(), $"Nothing found although {error}.");

    private static IEnumerable<string> Findings(Template template)
    {
        var stack = Deploy(template);
        for (var zone = 1; zone <= 3; zone++)
        {
            var (id, group) = ($"NatGroup{zone}", stack.Resources.GetValueOrDefault($"NatGroup{zone}"));
            if (group is null)
            {
                yield return $"{id} is not there";
                continue;
            }
            var properties = group["Properties"]!;
            if ((string?)properties["DesiredCapacity"] != "1" || (string?)properties["MinSize"] != "1")
                yield return $"{id} is not a group of one";
            if ((int?)group["CreationPolicy"]?["ResourceSignal"]?["Count"] != 1)
                yield return $"{id} is complete without a word from its instance";
            var update = group["UpdatePolicy"]?["AutoScalingRollingUpdate"];
            if ($"{update?["WaitOnResourceSignals"]} {update?["MinInstancesInService"]} {properties["MaxSize"]}" != "true 1 2")
                yield return $"{id}: an update leaves its zone without NAT";
            if (zone > 1 && !AfterIts(group, $"NatGroup{zone - 1}", stack))
                yield return $"{id} is updated beside its neighbour";

            var starts = (string?)properties["LaunchTemplate"]!["LaunchTemplateId"];
            var launch = stack.OfType("AWS::EC2::LaunchTemplate").Single(one => stack.IdOf(one.Id) == starts).Properties["LaunchTemplateData"]!;
            if ((string?)launch["ImageId"] != Platform.Image)
                yield return $"{id}: the image is not the one that was chosen";
            if (launch["NetworkInterfaces"].Many().Any(one => one["NetworkInterfaceId"] is not null || (bool?)one["AssociatePublicIpAddress"] is not true))
                yield return $"{id}: a second instance could not start beside the first";
            if ($"{launch["MetadataOptions"]?["HttpTokens"]} {launch["MetadataOptions"]?["InstanceMetadataTags"]}" != "required enabled")
                yield return $"{id}: the metadata are open, or lack the tags";

            var name = properties["Tags"].Many().Single(tag => (string?)tag["Key"] == "Name")["Value"]!.ToString();
            var metrics = properties["Tags"].Many().Single(tag => (string?)tag["Key"] == "NatMetrics")["Value"]!.ToString();
            if (!stack.OfType("AWS::CloudWatch::Alarm").Any(one => Watches(one.Properties, metrics, name)))
                yield return $"{id}: nobody is told when it forwards nothing";
        }
        var role = stack.Resources["NatRole"]["Properties"]!;
        if (!role["ManagedPolicyArns"].Texts().Contains("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"))
            yield return "Session Manager does not get in";
        var allowed = role["Policies"].Many().SelectMany(policy => policy["PolicyDocument"]!["Statement"].Many())
            .SelectMany(statement => statement["Action"].Texts().SelectMany(action => statement["Resource"].Texts().Select(on => (Action: action, On: on))))
            .ToList();
        foreach (var (action, resource) in Needed(stack))
            if (!allowed.Exists(one => one.Action == action && (resource is null || one.On.EndsWith(resource, StringComparison.Ordinal))))
                yield return $"it may not {action} {resource}";
    }

    private static IEnumerable<(string Action, string? Resource)> Needed(Stack stack)
    {
        for (var zone = 1; zone <= 3; zone++)
        {
            yield return ("ec2:AttachNetworkInterface", $"network-interface/{stack.IdOf($"NatInterface{zone}")}");
            yield return ("ec2:DetachNetworkInterface", $"network-interface/{stack.IdOf($"NatInterface{zone}")}");
            yield return ("ec2:AssociateAddress", $"elastic-ip/{stack.IdOf($"NatInterface{zone}Address")}.AllocationId");
        }
        foreach (var action in new[] { "ec2:AttachNetworkInterface", "ec2:DetachNetworkInterface" })
            yield return (action, "instance/*");
        yield return ("ec2:AssociateAddress", "network-interface/*");
        yield return ("ec2:DescribeNetworkInterfaces", null);
        yield return ("cloudwatch:PutMetricData", null);
        yield return ("autoscaling:SetInstanceHealth", null);
        yield return ("cloudformation:SignalResource", $"stack/{stack.Name}/0");
    }

    private static bool AfterIts(JsonObject group, string neighbour, Stack stack) =>
        group["DependsOn"].Texts().Contains(neighbour)
        || group["Properties"]!["Tags"].Many().Any(tag => (string?)tag["Key"] == "NatAfter" && (string?)tag["Value"] == stack.IdOf(neighbour));

    private static bool Watches(JsonObject alarm, string metrics, string name) =>
        $"{alarm["Namespace"]} {alarm["MetricName"]}" == $"{metrics} NatForwards"
        && alarm["Dimensions"].Many().Single() is { } dimension && $"{dimension["Name"]} {dimension["Value"]}" == $"Nat {name}"
        && $"{alarm["ComparisonOperator"]} {alarm["Threshold"]} {alarm["TreatMissingData"]}" == "LessThanThreshold 1 breaching"
        && (int)alarm["Period"]! * (int)alarm["EvaluationPeriods"]! <= 300;

    private static readonly string[] Floating = ["SSM::Parameter::Value<AWS::EC2::Image::Id>", "-latest"];

    private static IEnumerable<string> FloatingImages(Template template) => (template.Root["Parameters"]?.AsObject() ?? [])
        .Where(one => Floating.Any(sign => one.Value!.ToString().Contains(sign, StringComparison.Ordinal)))
        .Select(one => $"{template.Name}: {one.Key}: an update brings whatever Amazon published meanwhile");

    private static Stack Deploy(Template template) => template.Name == "infra/network.template"
        ? Platform.Build(template, []).Hub
        : Platform.Build(template, ["tenant-9"]).Tenants.Single().DataPlane;
}
