using System.Collections.Concurrent;
using System.IO.Enumeration;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Cloud;

/// <summary>What a function's role in the template lets it do to tables and queues, judged as IAM judges it: by action, resource and leading key.</summary>
/// <remarks>Stands below the AWS SDK, so it sees the calls that the code makes. What is not allowed is answered AccessDeniedException, and the run of the tests
/// ends with a failure that names it, for code that takes a failed call in its stride.</remarks>
public sealed class FunctionRole
{
    private static readonly Lazy<JsonNode> Template =
        new(() => JsonNode.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "serverless.template")))!["Resources"]!);

    private static readonly ConcurrentDictionary<string, byte> Refused = new();

    private readonly string _function;
    private readonly bool _endsRun;
    private readonly IReadOnlyList<Grant> _grants;
    private readonly IReadOnlyDictionary<string, string> _names;

    // Resource: a table's or index's name as the template spells it, or a queue's logical id.
    private sealed record Grant(IReadOnlyList<string> Actions, string Resource, IReadOnlyList<string>? LeadingKeys);

    private readonly record struct Call(string Action, string Resource, string? LeadingKey = null);

    private FunctionRole(string function, JsonNode template, TestTables tables, TestQueues? queues, bool endsRun)
    {
        (_function, _endsRun) = (function, endsRun);
        var role = (string)template[function]!["Properties"]!["Role"]!["Fn::GetAtt"]![0]!;
        var policies = template[role]!["Properties"]!["Policies"]!.AsArray();
        _grants = [.. policies.SelectMany(policy => policy!["PolicyDocument"]!["Statement"]!.AsArray()).SelectMany(Read)];
        var names = tables.Names.ToDictionary(one => one.Value, one => NameIn(template[one.Key]!["Properties"]!["TableName"]!));
        foreach (var (id, url) in queues?.Urls ?? new Dictionary<string, string>())
            names[url] = id;
        _names = names;
    }

    /// <param name="function">Its logical id in the template.</param>
    public static FunctionRole Of(string function, TestTables tables, TestQueues? queues = null) =>
        new(function, Template.Value, tables, queues, endsRun: true);

    /// <summary>As another template has it; its refusals are the test's own affair.</summary>
    public static FunctionRole Of(string function, TestTables tables, TestQueues? queues, Action<JsonNode> plant)
    {
        var resources = Template.Value.DeepClone();
        plant(resources);
        return new(function, resources, tables, queues, endsRun: false);
    }

    /// <summary>Lets through what is allowed.</summary>
    public HttpMessageHandler Above(HttpMessageHandler below) => new Gate(this, below);

    /// <exception cref="InvalidOperationException">Some function did what its role does not allow.</exception>
    public static void AssertNothingRefused()
    {
        if (!Refused.IsEmpty)
            throw new InvalidOperationException($"Roles of serverless.template lack what their functions do:\n{string.Join('\n', Refused.Keys.Order())}");
    }

    private static IEnumerable<Grant> Read(JsonNode? statement)
    {
        var actions = Texts(statement!["Action"]).ToList();
        // Any other condition is met by nobody here, so that it is not passed over.
        var keys = statement["Condition"] is not { } condition ? null
            : condition.AsObject().Count == 1 && condition["ForAllValues:StringLike"]?["dynamodb:LeadingKeys"] is { } patterns ? Texts(patterns).ToList()
            : [];
        return Each(statement["Resource"]).Select(resource => new Grant(actions, NameIn(resource), keys));
    }

    private static IEnumerable<JsonNode> Each(JsonNode? node) => node is JsonArray list ? list.Select(one => one!) : [node!];

    private static IEnumerable<string> Texts(JsonNode? node) => Each(node).Select(one => one.ToString());

    private static string NameIn(JsonNode resource)
    {
        if (resource["Fn::GetAtt"]?[0] is { } id)
            return id.ToString();
        var text = (resource["Fn::Sub"] ?? resource).ToString();
        return text[(text.IndexOf(":table/", StringComparison.Ordinal) is >= 0 and var at ? at + ":table/".Length : 0)..]
            .Replace("${TableSuffix}", "", StringComparison.Ordinal);
    }

    private bool Allows(Call call) => _grants.Any(grant =>
        grant.Actions.Contains(call.Action) && grant.Resource == call.Resource && Fits(grant.LeadingKeys, call.LeadingKey));

    private static bool Fits(IReadOnlyList<string>? patterns, string? key) =>
        patterns is null || (key is not null && patterns.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, key, ignoreCase: false)));

    /// <summary>What IAM is asked for one request: a transaction is asked for each of its parts.</summary>
    private IEnumerable<Call> CallsOf(string target, JsonNode body)
    {
        var operation = target[(target.LastIndexOf('.') + 1)..];
        if (target.StartsWith("AmazonSQS.", StringComparison.Ordinal))
        {
            var queue = _names.GetValueOrDefault(body["QueueUrl"]!.ToString(), "another queue");
            return [new($"sqs:{operation.Replace("Batch", "", StringComparison.Ordinal)}", queue)];
        }
        return operation switch
        {
            "TransactWriteItems" =>
                body["TransactItems"]!.AsArray().SelectMany(item => item!.AsObject()).Select(part => OfPart(WriteOf(part.Key), part.Value!)),
            "TransactGetItems" => body["TransactItems"]!.AsArray().Select(item => OfPart("GetItem", item!["Get"]!)),
            "BatchGetItem" or "BatchWriteItem" => body["RequestItems"]!.AsObject().Select(one => new Call($"dynamodb:{operation}", TableOf(one.Key, null))),
            _ => [OfPart(operation, body)],
        };
    }

    private static string WriteOf(string part) => part == "ConditionCheck" ? "ConditionCheckItem" : $"{part}Item";

    private Call OfPart(string operation, JsonNode part) => new(
        $"dynamodb:{operation}", TableOf(part["TableName"]!.ToString(), part["IndexName"]?.ToString()),
        (part["Key"] ?? part["Item"])?["pk"]?["S"]?.ToString());

    private string TableOf(string name, string? index) => _names.GetValueOrDefault(name, "another table") + (index is null ? "" : $"/index/{index}");

    private void Note(Call call)
    {
        if (_endsRun)
            Refused.TryAdd($"{_function}: {call.Action} on {call.Resource}", 0);
    }

    private sealed class Gate(FunctionRole role, HttpMessageHandler below) : DelegatingHandler(below)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await request.Content!.LoadIntoBufferAsync(cancellationToken);
            var body = JsonNode.Parse(await request.Content.ReadAsByteArrayAsync(cancellationToken))!;
            var refused = role.CallsOf(request.Headers.GetValues("X-Amz-Target").Single(), body).Where(call => !role.Allows(call)).ToList();
            if (refused.Count == 0)
                return await base.SendAsync(request, cancellationToken);
            refused.ForEach(role.Note);
            return new(HttpStatusCode.BadRequest)
            {
                Content = new StringContent(
                    $$"""{"__type":"com.amazon.coral.service#AccessDeniedException","message":"{{role._function}} is not authorized to perform {{refused[0].Action}} on {{refused[0].Resource}}"}""",
                    Encoding.UTF8, "application/x-amz-json-1.0"),
            };
        }
    }
}
