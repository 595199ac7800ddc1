using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>n8n's database as an instance of RDS. That a host works with it, infra/try-engine-host shows.</summary>
public sealed class EngineDatabaseTests
{
    private const string Instance = "Resources/DatabaseInstance/Properties";

    private static readonly Template Data = Template.Read("infra/tenant-data-plane.template");

    [Fact]
    public void It_outlives_the_stack_and_only_the_host_gets_in() => Assert.Empty(Findings(Data));

    public static TheoryData<string, Action<JsonObject>> PlantedErrors => new()
    {
        { "it goes with the stack", root => root.Set("Resources/DatabaseInstance/DeletionPolicy", "Delete") },
        { "it goes with its replacement", root => root.Drop("Resources/DatabaseInstance/UpdateReplacePolicy") },
        { "anybody may delete it", root => root.Set($"{Instance}/DeletionProtection", false) },
        { "it lies in the clear", root => root.Set($"{Instance}/StorageEncrypted", false) },
        { "it has an address of the internet's", root => root.Set($"{Instance}/PubliclyAccessible", true) },
        { "it is backed up for no day", root => root.Set($"{Instance}/BackupRetentionPeriod", 0) },
        { "its password stands in the template", root => root.Set($"{Instance}/MasterUserPassword", "hunter2") },
        { "it is in the engine's group", root => root.Set($"{Instance}/VPCSecurityGroups/0/Ref", "EngineSecurityGroup") },
        { "it stands in a public subnet", root => root.Set("Resources/DatabaseSubnets/Properties/SubnetIds/1/Ref", "PublicSubnet1") },
        { "it stands in one zone", root => root.At("Resources/DatabaseSubnets/Properties/SubnetIds").AsArray().RemoveAt(1) },
        { "the network may come in", root => root.Set("Resources/DatabaseSecurityGroup/Properties/SecurityGroupIngress/0", new JsonObject
            { ["IpProtocol"] = "tcp", ["FromPort"] = 5432, ["ToPort"] = 5432, ["CidrIp"] = "10.0.0.0/8" }) },
        { "it may ask the world", root => root.Set("Resources/DatabaseSecurityGroup/Properties/SecurityGroupEgress/0/CidrIp", "0.0.0.0/0") },
        { "the host may not ask it", root => root.Drop("Resources/EngineToDatabase") },
        { "the host is told of none", root => root.Set("Resources/EngineGroup/Properties/Tags", Tagged(root, "EngineDatabase", "host")) },
        { "the host is told of no secret", root => root.Set("Resources/EngineGroup/Properties/Tags", Tagged(root, "EngineDatabaseSecret", "none")) },
        { "the host may not read its password", root => root.At("Resources/EngineRole/Properties/Policies/0/PolicyDocument/Statement").AsArray()
            .RemoveAll(one => one?["Fn::If"]?[0]?.ToString() == "DatabaseIsRds") },
        { "a full disk is nobody's business", root => root.Drop("Resources/DatabaseSpace") },
        { "used-up memory is nobody's business", root => root.Set("Resources/DatabaseMemory/Properties/Dimensions/0/Value", "another") },
        { "a busy processor is nobody's business", root => root.Drop("Resources/DatabaseCpu/Properties/AlarmActions") },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(Findings(Data.With(plant)).Any(), $"Nothing found although {error}.");

    [Theory]
    [InlineData("host", "on")]
    [InlineData("rds", "off")]
    public void Without_it_nothing_of_it_is_made(string database, string engine)
    {
        var stack = Platform.DataPlane(Data, "tenant-7", ("Database", database), ("Engine", engine));

        Assert.DoesNotContain(stack.Resources.Keys, id => id.StartsWith("Database", StringComparison.Ordinal) || id == "EngineToDatabase");
        if (engine == "on")
            Assert.Equal(("host", "none"), Told(stack));
    }

    private static IEnumerable<string> Findings(Template template)
    {
        var stack = Platform.DataPlane(template, "tenant-9", ("Database", "rds"));
        var instance = stack.Resources["DatabaseInstance"];
        var properties = instance["Properties"]!;
        if ($"{instance["DeletionPolicy"]} {instance["UpdateReplacePolicy"]} {properties["DeletionProtection"]}" != "Snapshot Snapshot true")
            yield return "its data do not outlive it";
        if ($"{properties["StorageEncrypted"]} {properties["PubliclyAccessible"]}" != "true false" || int.Parse(properties["BackupRetentionPeriod"]!.ToString()) < 7)
            yield return "it is in the clear, on the internet, or hardly backed up";
        if (properties["MasterUserPassword"]!.ToString() != $"{{{{resolve:secretsmanager:{stack.IdOf("DatabaseSecret")}}}}}")
            yield return "its password is not its secret's";

        foreach (var finding in Reach(stack).Concat(Host(stack)).Concat(Alarms(stack)))
            yield return finding;
    }

    private static IEnumerable<string> Reach(Stack stack)
    {
        var network = new Network([stack]);
        var subnets = stack.Properties("DatabaseSubnets")["SubnetIds"].Texts();
        if (subnets.Count() < 2)
            yield return "RDS wants two zones";
        var engine = network.In(stack, "PrivateSubnet1", "the host", 10, stack.IdOf("EngineSecurityGroup"));
        foreach (var subnet in subnets.Select(id => stack.Resources.Keys.Single(name => stack.IdOf(name) == id)))
        {
            var database = network.In(stack, subnet, "the database", 50, [.. stack.Properties("DatabaseInstance")["VPCSecurityGroups"].Texts()]);
            if (network.WhatStops(engine, database, 5432) is { } stop)
                yield return $"the host does not reach it: {stop}";
            if (!subnet.StartsWith("Private", StringComparison.Ordinal))
                yield return $"it stands in {subnet}";
        }

        if (!stack.Properties("DatabaseInstance")["VPCSecurityGroups"].Texts().SequenceEqual([stack.IdOf("DatabaseSecurityGroup")]))
            yield return "it is in another security group";
        var group = stack.Properties("DatabaseSecurityGroup");
        var beside = stack.OfType("AWS::EC2::SecurityGroupIngress").Concat(stack.OfType("AWS::EC2::SecurityGroupEgress"));
        if (group["SecurityGroupIngress"].Many().Any(rule => (string?)rule["SourceSecurityGroupId"] != stack.IdOf("EngineSecurityGroup"))
            || group["SecurityGroupEgress"].Many().Any(rule => (string?)rule["CidrIp"] != "127.0.0.1/32")
            || beside.Any(rule => (string?)rule.Properties["GroupId"] == stack.IdOf("DatabaseSecurityGroup")))
            yield return "others get in, or it asks others";
    }

    private static IEnumerable<string> Host(Stack stack)
    {
        if (Told(stack) != ($"{stack.IdOf("DatabaseInstance")}.Endpoint.Address", stack.IdOf("DatabaseSecret")))
            yield return "the host is told of another";
        var allowed = stack.Properties("EngineRole")["Policies"].Many().SelectMany(policy => policy["PolicyDocument"]!["Statement"].Many())
            .Where(statement => statement["Action"].Texts().Contains("secretsmanager:GetSecretValue")).SelectMany(statement => statement["Resource"].Texts());
        if (!allowed.SequenceEqual([stack.IdOf("DatabaseSecret")]))
            yield return "the host may read another secret, or none";
    }

    private static IEnumerable<string> Alarms(Stack stack)
    {
        foreach (var metric in new[] { "FreeStorageSpace", "FreeableMemory", "CPUUtilization" })
            if (!stack.OfType("AWS::CloudWatch::Alarm").Select(one => one.Properties).Any(alarm =>
                    $"{alarm["Namespace"]} {alarm["MetricName"]} {alarm["Dimensions"]?[0]?["Value"]}" == $"AWS/RDS {metric} {stack.IdOf("DatabaseInstance")}"
                    && alarm["AlarmActions"] is not null))
                yield return $"nobody is told of {metric}";
    }

    private static (string Database, string Secret) Told(Stack stack)
    {
        var tags = stack.Properties("EngineGroup")["Tags"].Many().ToDictionary(tag => (string)tag["Key"]!, tag => tag["Value"]!.ToString());
        return (tags["EngineDatabase"], tags["EngineDatabaseSecret"]);
    }

    private static JsonNode Tagged(JsonObject root, string key, string value)
    {
        var tags = root.At("Resources/EngineGroup/Properties/Tags").DeepClone();
        tags.AsArray().Single(tag => (string)tag!["Key"]! == key)!["Value"] = value;
        return tags;
    }
}
