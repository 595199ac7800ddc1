using System.Text.Json.Nodes;

namespace ControlPlane.Local.Template;

/// <summary>Reads from serverless.template what a machine must have to run the functions: the same file that is deployed.</summary>
internal sealed class TemplateReader
{
    private readonly JsonObject _template;

    private TemplateReader(JsonObject template)
    {
        _template = template;
        Tables = [.. Of("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable").Select(Table)];
        Queues = [.. Of("AWS::SQS::Queue").Select(Queue)];
        Secrets = [.. Of("AWS::SecretsManager::Secret").Select(one => one.Id)];
        Functions = [.. Of("AWS::Serverless::Function").Select(Function)];
        Parameters = Object(_template["Parameters"]).ToDictionary(one => one.Key, one => one.Value?["Default"]?.ToString());
        Conditions = Object(_template["Conditions"]).ToDictionary(one => one.Key, one => one.Value);
    }

    public IReadOnlyList<TemplateTable> Tables { get; }

    public IReadOnlyList<TemplateQueue> Queues { get; }

    /// <summary>Logical ids.</summary>
    public IReadOnlyList<string> Secrets { get; }

    public IReadOnlyList<TemplateFunction> Functions { get; }

    /// <summary>Defaults by name; null for a parameter that has none.</summary>
    public IReadOnlyDictionary<string, string?> Parameters { get; }

    public IReadOnlyDictionary<string, JsonNode?> Conditions { get; }

    public static TemplateReader Read(string path) => Parse(File.ReadAllText(path));

    public static TemplateReader Parse(string json) => new(Object(JsonNode.Parse(json)));

    private IEnumerable<(string Id, JsonObject Properties)> Of(params string[] types) =>
        Object(_template["Resources"]).Where(one => types.Contains((string?)one.Value?["Type"])).Select(one => (one.Key, Object(one.Value?["Properties"])));

    private static TemplateTable Table((string Id, JsonObject Properties) one) => new(
        one.Id,
        Array(one.Properties["AttributeDefinitions"])
            .ToDictionary(attribute => Text(attribute, "AttributeName"), attribute => Text(attribute, "AttributeType")),
        Keys(one.Properties["KeySchema"]),
        [.. Array(one.Properties["GlobalSecondaryIndexes"]).Select(index => new TemplateIndex(
            Text(index, "IndexName"), Keys(index["KeySchema"]), Text(index["Projection"], "ProjectionType"),
            [.. Array(index["Projection"]?["NonKeyAttributes"]).Select(name => (string)name!)]))],
        (string?)one.Properties["TimeToLiveSpecification"]?["AttributeName"]);

    private static List<TemplateKey> Keys(JsonNode? schema) =>
        [.. Array(schema).Select(key => new TemplateKey(Text(key, "AttributeName"), Text(key, "KeyType")))];

    private static TemplateQueue Queue((string Id, JsonObject Properties) one)
    {
        string[] served =
        [
            "VisibilityTimeout", "MessageRetentionPeriod", "DelaySeconds", "ReceiveMessageWaitTimeSeconds", "MaximumMessageSize",
            "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit",
        ];
        var attributes = served.Where(one.Properties.ContainsKey).ToDictionary(name => name, name => one.Properties[name]!.ToString());
        var redrive = one.Properties["RedrivePolicy"];
        return new(
            one.Id,
            attributes.GetValueOrDefault("FifoQueue") == "true",
            TimeSpan.FromSeconds((int?)one.Properties["VisibilityTimeout"] ?? 30),
            attributes,
            redrive is null ? null : new(Target(redrive["deadLetterTargetArn"]), (int)redrive["maxReceiveCount"]!));
    }

    private TemplateFunction Function((string Id, JsonObject Properties) one)
    {
        var shared = Object(_template["Globals"]?["Function"]);
        JsonNode? Setting(string name) => one.Properties[name] ?? shared[name];
        var environment = Object(shared["Environment"]?["Variables"]).ToDictionary(variable => variable.Key, variable => variable.Value);
        foreach (var (name, value) in Object(one.Properties["Environment"]?["Variables"]))
            environment[name] = value;
        return new(
            one.Id,
            (string)Setting("CodeUri")!,
            (string)Setting("Handler")!,
            TimeSpan.FromSeconds((int?)Setting("Timeout") ?? 3),
            (int?)Setting("MemorySize") ?? 128,
            environment,
            [.. Object(one.Properties["Events"]).Select(source => Event(source.Key, source.Value!)), .. TargetGroups(one.Id)]);
    }

    /// <summary>No event of SAM's: the target group names the function.</summary>
    private IEnumerable<TemplateEvent> TargetGroups(string function) =>
        from one in Of("AWS::ElasticLoadBalancingV2::TargetGroup")
        where Array(one.Properties["Targets"]).Any(target => (string?)target["Id"]?["Ref"] == $"{function}.Alias")
        select new TemplateEvent.LoadBalancer(one.Id);

    private static TemplateEvent Event(string id, JsonNode source)
    {
        var properties = Object(source["Properties"]);
        return (string?)source["Type"] switch
        {
            "HttpApi" => new TemplateEvent.PublicRoute(Text(properties, "Method").ToUpperInvariant(), Text(properties, "Path")),
            "Api" => new TemplateEvent.PrivateRoute(Text(properties, "Method").ToUpperInvariant(), Text(properties, "Path")),
            "SQS" => new TemplateEvent.Queue(
                Target(properties["Queue"]), (int?)properties["BatchSize"] ?? 10, TimeSpan.FromSeconds((int?)properties["MaximumBatchingWindowInSeconds"] ?? 0),
                Array(properties["FunctionResponseTypes"]).Any(type => (string?)type == "ReportBatchItemFailures")),
            "Schedule" or "ScheduleV2" => new TemplateEvent.Schedule((string?)properties["ScheduleExpression"] ?? Text(properties, "Schedule")),
            var other => throw new NotSupportedException($"{id} is an event of type {other}, which the local control plane does not know."),
        };
    }

    /// <summary>The logical id in <c>{"Fn::GetAtt": ["Id", "Arn"]}</c>.</summary>
    private static string Target(JsonNode? reference) => (string)reference!["Fn::GetAtt"]![0]!;

    private static string Text(JsonNode? of, string name) => (string?)of?[name] ?? throw new FormatException($"{name} is missing in {of?.GetPath()}.");

    private static JsonObject Object(JsonNode? node) => node as JsonObject ?? [];

    private static IEnumerable<JsonNode> Array(JsonNode? node) => (node as JsonArray ?? []).Select(item => item!);
}
