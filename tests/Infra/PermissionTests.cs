using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>Who may do what: no wildcard without a written reason, and no table, queue or secret that a function does not name in its settings.</summary>
public sealed class PermissionTests
{
    [Fact]
    public void Every_wildcard_has_a_written_reason() => Assert.Empty(Template.All.SelectMany(name => Wildcards(Template.Read(name))));

    [Fact]
    public void Nothing_claims_a_reason_that_it_does_not_need() =>
        Assert.Empty(Template.All.Select(Template.Read).SelectMany(template => template.Resources
            .Where(one => one.Value!["Metadata"]?["WildcardReason"] is not null && !Statements(one.Value!).Any(IsWide) && !ReachesStreams(one.Value!))
            .Select(one => $"{template.Name}: {one.Key}")));

    [Fact]
    public void Every_role_names_what_its_functions_settings_name_and_nothing_else() => Assert.Empty(Differences(Platform.WithPanel().Application));

    [Fact]
    public void No_function_lets_SAM_make_its_role() =>
        Assert.All(Template.Read("serverless.template").OfType("AWS::Serverless::Function"), function =>
        {
            Assert.NotNull(function.Resource["Properties"]!["Role"]?["Fn::GetAtt"]);
            Assert.Null(function.Resource["Properties"]!["Policies"]);
        });

    [Fact]
    public void The_private_api_admits_its_endpoint_alone()
    {
        var api = Platform.Build([]).Application.Properties("PrivateApi");
        var statement = api["Auth"]!["ResourcePolicy"]!["CustomStatements"]!.AsArray().Single()!;

        Assert.Equal("PRIVATE", (string?)api["EndpointConfiguration"]!["Type"]);
        Assert.Equal("Allow", (string?)statement["Effect"]);
        Assert.StartsWith("vpce-", (string?)statement["Condition"]!["StringEquals"]!["aws:SourceVpce"], StringComparison.Ordinal);
        Assert.Equal((string?)api["EndpointConfiguration"]!["VPCEndpointIds"]![0], (string?)statement["Condition"]!["StringEquals"]!["aws:SourceVpce"]);
    }

    public static TheoryData<string, string, Action<JsonObject>> PlantedErrors => new()
    {
        { "a role may do everything", "serverless.template", root => { root.Set("Resources/JwksRole/Properties/Policies/0/PolicyDocument/Statement/0/Action",
            "*"); root.Drop("Resources/JwksRole/Metadata"); } },
        { "a role may read every table", "serverless.template", root => { root.Set("Resources/JwksRole/Properties/Policies/0/PolicyDocument/Statement/0/Resource", "*"); root.Drop("Resources/JwksRole/Metadata"); } },
        { "a reason is empty", "serverless.template", root => root.Set("Resources/FunctionNetworkPolicy/Metadata/WildcardReason", " ") },
        { "a policy in SAM's place", "serverless.template", root => root.At("Resources/JwksFunction/Properties").Set("Policies",
            JsonNode.Parse("""[{ "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }] }]""")) },
        { "an endpoint without a reason", "infra/network.template", root => root.Drop("Resources/PrivateApiInterface/Metadata") },
        { "an endpoint without a policy", "infra/network.template", root => root.Drop("Resources/SqsInterface/Properties/PolicyDocument") },
        { "a bucket for everybody", "infra/backup.template", root => { root.Set("Resources/StateBucketPolicy/Properties/PolicyDocument/Statement/2/Principal",
            "*"); root.Drop("Resources/StateBucketPolicy/Metadata"); } },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_wildcard_is_found(string error, string template, Action<JsonObject> plant) =>
        Assert.True(Wildcards(Template.Read(template).With(plant)).Any(), $"Nothing found although {error}.");

    [Fact]
    public void The_record_of_changes_is_appended_to_alone() => Assert.Empty(BeyondAppending(Template.Read("serverless.template")));

    [Theory]
    [InlineData("dynamodb:UpdateItem"), InlineData("dynamodb:DeleteItem"), InlineData("dynamodb:BatchWriteItem"), InlineData("dynamodb:*")]
    public void A_planted_change_of_records_is_found(string action) => Assert.NotEmpty(BeyondAppending(Template.Read("serverless.template").With(root =>
        root.At("Resources/SlackCommandsRole/Properties/Policies/0/PolicyDocument/Statement").AsArray().Add(JsonNode.Parse(
            $$"""{ "Effect": "Allow", "Action": ["dynamodb:PutItem", "{{action}}"], "Resource": { "Fn::GetAtt": ["AuditTable", "Arn"] } }""")))));

    private static IEnumerable<string> BeyondAppending(Template template) =>
        from resource in template.Resources
        from statement in Statements(resource.Value!)
        where statement["Resource"]?.ToJsonString() is { } of
            && (of.Contains("-audit", StringComparison.Ordinal) || of.Contains("AuditTable", StringComparison.Ordinal))
        from action in statement["Action"] is JsonArray several ? several.Select(one => one!.ToString()) : [statement["Action"]!.ToString()]
        where action is not ("dynamodb:PutItem" or "dynamodb:Query")
        select $"{resource.Key}: {action}";

    public static TheoryData<string, Action<JsonObject>> PlantedSurplus => new()
    {
        { "a role reads a table that its function does not name",
            root => root.At("Resources/JwksRole/Properties/Policies/0/PolicyDocument/Statement").AsArray().Add(JsonNode.Parse(
            """{ "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": { "Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${AWS::StackName}-tenants" } }""")) },
        { "a role lacks its queue", root => root.At("Resources/DispatchRole/Properties/Policies/0/PolicyDocument/Statement").AsArray().RemoveAt(4) },
        { "a function names a table that its role cannot use", root => root.At("Resources/JwksFunction/Properties/Environment/Variables").Set("METERING_TABLE",
            JsonNode.Parse("""{ "Ref": "MeteringTable" }""")) },
        { "the panel reads a secret", root => root.At("Resources/AdminPanelRole/Properties/Policies/0/PolicyDocument/Statement").AsArray().Add(JsonNode.Parse(
            """{ "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": { "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${AWS::StackName}/slack-??????" } }""")) },
        { "a role takes another function's messages",
            root => root.Set("Resources/DispatchRole/Properties/Policies/0/PolicyDocument/Statement/4/Resource/Fn::GetAtt/0", "NotificationsQueue") },
    };

    [Theory]
    [MemberData(nameof(PlantedSurplus), DisableDiscoveryEnumeration = true)]
    public void A_planted_difference_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(Differences(Platform.WithPanel(Template.Read("serverless.template").With(plant)).Application).Any(), $"Nothing found although {error}.");

    private static IEnumerable<string> Wildcards(Template template)
    {
        foreach (var (id, resource) in template.Resources)
        {
            var wide = Statements(resource!).Where(IsWide).Select(statement => statement["Sid"]?.ToString() ?? statement["Action"]!.ToJsonString()).ToList();
            // An endpoint without a policy has AWS's own, which allows everything; no reason excuses that.
            if ((string?)resource!["Type"] == "AWS::EC2::VPCEndpoint" && resource["Properties"]!["PolicyDocument"] is null)
                yield return $"{template.Name}: {id}: no policy";
            if (wide.Count > 0 && (string?)resource!["Metadata"]?["WildcardReason"] is not { Length: >= 30 })
                yield return $"{template.Name}: {id}: {string.Join(", ", wide)}";
        }
    }

    /// <summary>Every statement anywhere below a resource, in whichever property its type keeps them.</summary>
    private static IEnumerable<JsonObject> Statements(JsonNode node) => node switch
    {
        JsonObject statement when statement["Effect"] is JsonValue => [statement],
        JsonObject map => map.SelectMany(one => one.Value is null ? [] : Statements(one.Value)),
        JsonArray list => list.SelectMany(item => item is null ? [] : Statements(item)),
        _ => [],
    };

    private static bool IsWide(JsonObject statement) =>
        IsWide(statement["Action"]) || IsWide(statement["NotAction"]) || IsWide(statement["Resource"]) || statement["NotResource"] is not null
        || (string?)statement["Effect"] == "Allow" && IsWide(statement["Principal"]);

    private static bool IsWide(JsonNode? node) => node switch
    {
        null => false,
        JsonValue text => text.ToString().IndexOfAny(['*', '?']) >= 0,
        JsonArray list => list.Any(IsWide),
        JsonObject map => map.Any(one => IsWide(one.Value)),
        _ => false,
    };

    // A log group's Arn attribute carries a wildcard that the template does not show.
    private static bool ReachesStreams(JsonNode resource) =>
        Statements(resource).SelectMany(statement => statement["Resource"].Many()).Any(one => one is JsonObject && one["Fn::GetAtt"]?[0]?.ToString() is { } id
            && (id.EndsWith("Logs", StringComparison.Ordinal) || id.EndsWith("LogGroup", StringComparison.Ordinal)));

    private static IEnumerable<string> Differences(Stack application)
    {
        var ids = application.Resources.Keys.ToDictionary(application.IdOf, id => id);
        foreach (var (function, properties) in application.OfType("AWS::Serverless::Function"))
        {
            var wanted = properties["Environment"]!["Variables"]!.AsObject().Select(one => ids.GetValueOrDefault(one.Value!.ToString())).OfType<string>()
                .ToHashSet();
            foreach (var queue in (properties["Events"]?.AsObject() ?? []).Select(one => one.Value!["Properties"]!["Queue"]).OfType<JsonNode>())
                wanted.Add(ids[queue.ToString()[..^".Arn".Length]]);
            if (properties["EventInvokeConfig"]?["DestinationConfig"]?["OnFailure"]?["Destination"] is { } failures)
                wanted.Add(ids[failures.ToString()[..^".Arn".Length]]);

            var role = ids[properties["Role"]!.ToString()[..^".Arn".Length]];
            var granted = Statements(application.Resources[role]).SelectMany(statement => statement["Resource"].Texts()).Select(Named).OfType<string>()
                .ToHashSet();
            foreach (var missing in wanted.Except(granted))
                yield return $"{role} lacks {missing}";
            foreach (var surplus in granted.Except(wanted))
                yield return $"{role} has {surplus}, which {function} does not name";
        }

        string? Named(string arn) =>
            arn.Contains(":table/", StringComparison.Ordinal) ? application.OfType("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table")
                .Single(table => (string)table.Properties["TableName"]! == arn.Split(":table/")[1].Split("/index/")[0]).Id
            : arn.Contains(":secret:", StringComparison.Ordinal) ? application.OfType("AWS::SecretsManager::Secret")
                .Single(secret => arn.EndsWith($"{secret.Properties["Name"]}-??????", StringComparison.Ordinal)).Id
            : arn.EndsWith(".Arn", StringComparison.Ordinal)
                && ids.TryGetValue(arn[..^".Arn".Length], out var queue) && (string?)application.Resources[queue]["Type"] == "AWS::SQS::Queue" ? queue
            : null;
    }
}
