using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>The engine's host in a tenant's template. That it boots and is replaced, infra/try-engine-host shows.</summary>
public sealed class EngineHostTests
{
    private const string Launch = "Resources/EngineTemplate/Properties/LaunchTemplateData", Rules = "Resources/EngineRole/Properties/Policies/0/PolicyDocument/Statement";

    private static readonly Template Data = Template.Read("infra/tenant-data-plane.template");

    [Fact]
    public void It_is_a_group_of_one_whose_data_outlive_it() => Assert.Empty(Findings(Data));

    public static TheoryData<string, Action<JsonObject>> PlantedErrors => new()
    {
        { "two instances want one volume", root => root.Set("Resources/EngineGroup/Properties/MaxSize", "2") },
        { "an update starts the new one beside the old one",
            root => root.Set("Resources/EngineGroup/UpdatePolicy/AutoScalingRollingUpdate/MinInstancesInService", 1) },
        { "nobody waits for it", root => root.Drop("Resources/EngineGroup/CreationPolicy") },
        { "the volume is in the clear", root => root.Set("Resources/EngineVolume/Properties/Encrypted", false) },
        { "the root disk is in the clear", root => root.Set($"{Launch}/BlockDeviceMappings/0/Ebs/Encrypted", false) },
        { "the volume goes with the stack", root => root.Drop("Resources/EngineVolume/DeletionPolicy") },
        { "the volume goes with its replacement", root => root.Set("Resources/EngineVolume/UpdateReplacePolicy", "Delete") },
        { "the volume is in another zone", root => root.Set("Resources/EngineVolume/Properties/AvailabilityZone", new JsonObject { ["Fn::Sub"] = "${AWS::Region}b" }) },
        { "the metadata are open to whoever asks", root => root.Set($"{Launch}/MetadataOptions/HttpTokens", "optional") },
        { "it has an address of the internet's", root => root.Set($"{Launch}/NetworkInterfaces/0/AssociatePublicIpAddress", true) },
        { "nobody may look inside", root => root.Drop("Resources/EngineRole/Properties/ManagedPolicyArns") },
        { "it may not take its volume", root => root.At(Rules).AsArray().RemoveAt(0) },
        { "it may take a volume from its instance", root => root.Set($"{Rules}/0/Action", new JsonArray("ec2:AttachVolume", "ec2:DetachVolume")) },
        { "it may not take its address", root => root.At(Rules).AsArray().RemoveAt(2) },
        { "it may not back up", root => root.Set($"{Rules}/5/Action", "s3:GetObject") },
        { "its backups are open", root => root.Set("Resources/BackupBucket/Properties/PublicAccessBlockConfiguration/BlockPublicAcls", false) },
        { "its backups are kept for ever", root => root.Drop("Resources/BackupBucket/Properties/LifecycleConfiguration") },
        { "its backups can be written over", root => root.Drop("Resources/BackupBucket/Properties/VersioningConfiguration") },
        { "its log is kept for ever", root => root.Drop("Resources/EngineLogGroup/Properties/RetentionInDays") },
        { "silence is good news", root => root.Set("Resources/EngineReady/Properties/TreatMissingData", "notBreaching") },
        { "a full disk is nobody's business", root => root.Drop("Resources/EngineDisk") },
        { "used-up memory is nobody's business", root => root.Drop("Resources/EngineMemory") },
        { "missing backups are nobody's business", root => root.Set("Resources/EngineBackups/Properties/Namespace", "AWS/EC2") },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(Findings(Data.With(plant)).Any(), $"Nothing found although {error}.");

    [Theory]
    [InlineData("tenant-43", "EngineInPublicRange=true", "PublicSubnet1", "10.142.1.10", "us-east-1a")]
    [InlineData("tenant-7", "EngineInPublicRange=false", "PrivateSubnet1", "10.106.128.10", "us-east-1a")]
    [InlineData("tenant-7", "EngineOnGpu=true EngineInstanceType=g6.xlarge EngineImage=ami-0fedcba9876543210", "PrivateSubnet3", "10.106.160.10", "us-east-1c")]
    public void It_stands_where_it_is_told_at_an_address_that_stays(string tenant, string parameters, string subnet, string address, string zone)
    {
        var stack = Platform.DataPlane(Data, tenant, Parsed(parameters));
        var group = stack.Properties("EngineGroup");

        Assert.Equal([stack.IdOf(subnet)], group["VPCZoneIdentifier"].Texts());
        Assert.Equal((address, address), (Tags(group)["EngineAddress"], stack.Outputs["EngineAddress"]));
        Assert.Equal((zone, zone), ((string?)stack.Properties("EngineVolume")["AvailabilityZone"], (string?)stack.Properties(subnet)["AvailabilityZone"]));
    }

    [Theory]
    [InlineData("EnginePackage=bucket/key")]
    [InlineData("EnginePackageSha256=")]
    [InlineData("PrivateApiUrl=")]
    [InlineData("ControlPlaneUrl=")]
    [InlineData("EngineOnGpu=true")]
    [InlineData("EngineOnGpu=true EngineInPublicRange=true EngineImage=ami-0fedcba9876543210")]
    [InlineData("PrivateApiUrl=http://10.10.1.50/v1")]
    public void What_no_host_can_boot_with_is_refused(string parameters) => Assert.Throws<StackRefused>(() => Platform.DataPlane(Data, "tenant-7", Parsed(parameters)));

    [Fact]
    public void Switched_off_it_leaves_the_network_alone()
    {
        var off = Platform.DataPlane(Data, "tenant-7", Parsed("Engine=off EnginePackage=bucket/key EnginePackageSha256= PrivateApiUrl= ControlPlaneUrl="));

        Assert.Empty(off.OfType("AWS::EC2::Volume"));
        Assert.DoesNotContain("EngineGroup", off.Resources.Keys);
        Assert.Contains("EngineSecurityGroup", off.Resources.Keys);
        Assert.DoesNotContain("EngineAddress", off.Outputs.Keys);
        Assert.Single(off.OfType("AWS::S3::Bucket"));
    }

    private static (string Name, string Value)[] Parsed(string parameters) =>
        [.. parameters.Split(' ').Select(one => one.Split('=', 2)).Select(one => (one[0], one[1]))];

    private static IEnumerable<string> Findings(Template template)
    {
        var stack = Platform.DataPlane(template);
        var group = stack.Resources["EngineGroup"];
        var properties = group["Properties"]!;
        var update = group["UpdatePolicy"]!["AutoScalingRollingUpdate"]!;
        if ($"{properties["DesiredCapacity"]} {properties["MaxSize"]} {update["MinInstancesInService"]} {update["WaitOnResourceSignals"]}" != "1 1 0 true")
            yield return "it is no group of one, the old one gone before the new one comes";
        if ((int?)group["CreationPolicy"]?["ResourceSignal"]?["Count"] != 1)
            yield return "it is complete without a word from its instance";

        var volume = stack.Resources["EngineVolume"];
        if ($"{volume["DeletionPolicy"]} {volume["UpdateReplacePolicy"]} {volume["Properties"]!["Encrypted"]}" != "Snapshot Snapshot true")
            yield return "its data do not outlive it, or lie in the clear";
        if ((string?)volume["Properties"]!["AvailabilityZone"] != (string?)stack.Properties("PrivateSubnet1")["AvailabilityZone"])
            yield return "its volume does not follow it";

        var launch = stack.Properties("EngineTemplate")["LaunchTemplateData"]!;
        if ($"{launch["MetadataOptions"]!["HttpTokens"]} {launch["MetadataOptions"]!["InstanceMetadataTags"]}" != "required enabled")
            yield return "the metadata are open, or lack the tags";
        if ((bool)launch["NetworkInterfaces"]![0]!["AssociatePublicIpAddress"]! || launch["BlockDeviceMappings"].Many().Any(one => !(bool)one["Ebs"]!["Encrypted"]!))
            yield return "it is on the internet, or its disk in the clear";
        if (!launch["NetworkInterfaces"]![0]!["Groups"].Texts().SequenceEqual([stack.IdOf("EngineSecurityGroup")]))
            yield return "it is in another security group";

        foreach (var finding in Permissions(stack).Concat(Backups(stack)).Concat(Alarms(stack)))
            yield return finding;
    }

    private static IEnumerable<string> Permissions(Stack stack)
    {
        var role = stack.Properties("EngineRole");
        if (!role["ManagedPolicyArns"].Texts().Contains("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"))
            yield return "Session Manager does not get in";
        var allowed = role["Policies"].Many().SelectMany(policy => policy["PolicyDocument"]!["Statement"].Many())
            .SelectMany(statement => statement["Action"].Texts().SelectMany(action => statement["Resource"].Texts().Select(on => $"{action} {on}"))).ToHashSet();
        const string Here = "arn:aws:ec2:us-east-1:222222222222";
        foreach (var needed in (string[])
                 [
                     $"ec2:AttachVolume {Here}:volume/{stack.IdOf("EngineVolume")}", $"ec2:AttachVolume {Here}:instance/*",
                     $"ec2:AssignPrivateIpAddresses {Here}:network-interface/*", "ec2:DescribeVolumes *",
                     "s3:GetObject arn:aws:s3:::packages/data-plane-host.tar.gz", $"s3:PutObject {stack.IdOf("BackupBucket")}.Arn/*",
                     $"s3:GetObject {stack.IdOf("BackupBucket")}.Arn/*", $"logs:PutLogEvents {stack.IdOf("EngineLogGroup")}.Arn",
                     "cloudwatch:PutMetricData *", $"cloudformation:SignalResource arn:aws:cloudformation:us-east-1:222222222222:stack/{stack.Name}/0",
                 ])
            if (!allowed.Contains(needed))
                yield return $"it may not {needed}";
        if (allowed.Any(one => one.StartsWith("ec2:DetachVolume", StringComparison.Ordinal)))
            yield return "it may take a volume that is in use";
    }

    private static IEnumerable<string> Backups(Stack stack)
    {
        var bucket = stack.Properties("BackupBucket");
        if (bucket["PublicAccessBlockConfiguration"]!.AsObject().Any(one => !(bool)one.Value!) || (string?)bucket["VersioningConfiguration"]?["Status"] != "Enabled")
            yield return "backups are open, or can be written over";
        if (bucket["LifecycleConfiguration"]?["Rules"].Many().Any(rule => rule["ExpirationInDays"] is not null) is not true)
            yield return "backups are kept for ever";
        if (stack.Properties("EngineLogGroup")["RetentionInDays"] is null)
            yield return "its log is kept for ever";
        var tags = Tags(stack.Properties("EngineGroup"));
        if ((tags["EngineBackups"], tags["EngineLogs"]) != ($"s3://{stack.IdOf("BackupBucket")}", stack.IdOf("EngineLogGroup")))
            yield return "it is told of another bucket or log";
    }

    private static IEnumerable<string> Alarms(Stack stack)
    {
        var metrics = Tags(stack.Properties("EngineGroup"))["EngineMetrics"];
        var told = File.ReadAllText(Path.Combine(Support.RepositoryRoot.Find(), "data-plane/host/report"));
        foreach (var (metric, silence) in new[] { ("Ready", "breaching"), ("DiskUsed", "notBreaching"), ("MemoryUsed", "notBreaching"), ("BackupAge", "notBreaching") })
        {
            if (!told.Contains($"\"MetricName={metric},", StringComparison.Ordinal))
                yield return $"{metric} is not told";
            if (!stack.OfType("AWS::CloudWatch::Alarm").Any(one =>
                    $"{one.Properties["Namespace"]} {one.Properties["MetricName"]} {one.Properties["TreatMissingData"]}" == $"{metrics} {metric} {silence}"))
                yield return $"nobody watches {metric}";
        }
    }

    private static Dictionary<string, string> Tags(JsonNode group) => group["Tags"].Many().ToDictionary(tag => (string)tag["Key"]!, tag => tag["Value"]!.ToString());
}
