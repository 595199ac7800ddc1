using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>Queues and tables: what keeps a message, and what keeps an item.</summary>
public sealed class QueueTests
{
    private const int FourteenDays = 1_209_600;

    [Fact]
    public void Every_message_is_encrypted_given_up_in_the_end_and_kept_then() => Assert.Empty(Findings(Template.Read("serverless.template")));

    public static TheoryData<string, Action<JsonObject>> PlantedErrors => new()
    {
        { "a queue is not encrypted", root => root.Set("Resources/DispatchQueue/Properties/SqsManagedSseEnabled", false) },
        { "a queue never gives up", root => root.Drop("Resources/NotificationsQueue/Properties/RedrivePolicy") },
        { "an hour of trouble loses accepted commands", root => root.Set("Resources/ExecutionRequestsQueue/Properties/RedrivePolicy/maxReceiveCount", 5) },
        { "a message is given up while its requester can be told",
            root => root.Set("Resources/NotificationsQueue/Properties/RedrivePolicy/maxReceiveCount", 20) },
        { "dead letters are lost after four days", root => root.Drop("Resources/DispatchDeadLetters/Properties/MessageRetentionPeriod") },
        { "a FIFO queue gives up into a standard one", root => root.Drop("Resources/ExecutionRequestsDeadLetters/Properties/FifoQueue") },
        { "a message comes back while it is worked on", root => root.Set("Resources/DispatchQueue/Properties/VisibilityTimeout", 90) },
        { "a batch that is gathered comes back while it is worked on",
            root => root.At("Resources/ExecutionRequestsFunction/Properties/Events/Queue/Properties").Set("MaximumBatchingWindowInSeconds", 5) },
        { "one bad message holds back its neighbours",
            root => root.Drop("Resources/DispatchFunction/Properties/Events/Queue/Properties/FunctionResponseTypes") },
        { "pollers outnumber the function", root => root.Set("Resources/DispatchFunction/Properties/ReservedConcurrentExecutions", 5) },
        { "nobody watches the dead letters", root => root.Drop("Resources/DispatchDeadLettersNotEmpty") },
        { "nobody watches the waiting time", root => root.Drop("Resources/NotificationsWaitTooLong") },
        { "a queue that nobody reads", root => root.Drop("Resources/DispatchFunction/Properties/Events/Queue") },
        { "a failed sweep leaves no trace", root => root.Drop("Resources/SweeperFunction/Properties/EventInvokeConfig") },
        { "two sweepers at once", root => root.Set("Resources/SweeperFunction/Properties/ReservedConcurrentExecutions", 2) },
        { "a table may be deleted", root => root.Set("Resources/QuotasTable/Properties/Replicas/Fn::If/2/0/DeletionProtectionEnabled", false) },
        { "a table cannot be restored",
            root => root.Set("Resources/QuotasTable/Properties/Replicas/Fn::If/2/0/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", false) },
        { "a table goes with its stack", root => root.Drop("Resources/TenantsTable/DeletionPolicy") },
        { "a table has a fixed capacity", root => root.Set("Resources/TenantsTable/Properties/BillingMode", "PROVISIONED") },
        { "presence expires", root => root.Set("Resources/InstancesTable/Properties/TimeToLiveSpecification",
            JsonNode.Parse("""{ "AttributeName": "expires_at", "Enabled": true }""")) },
        { "records never expire", root => root.Drop("Resources/MeteringTable/Properties/TimeToLiveSpecification") },
        { "a secret goes with its stack", root => root.Drop("Resources/TokenRootSecret/DeletionPolicy") },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(Findings(Template.Read("serverless.template").With(plant)).Count > 0, $"Nothing found although {error}.");

    [Fact]
    public void With_a_second_region_every_table_but_the_rate_limits_is_copied()
    {
        var here = Platform.Build([]).Here;
        var owner = Stack.Deploy(Template.Read("serverless.template"), "control-plane", here, ("ReplicaRegion", "us-west-2"));

        Assert.Equal(6, owner.OfType("AWS::DynamoDB::GlobalTable").Count());
        Assert.All(
            owner.OfType("AWS::DynamoDB::GlobalTable"),
            table => Assert.Equal(["us-east-1", "us-west-2"], table.Properties["Replicas"].Many().Select(one => one["Region"]!.ToString())));
        Assert.All(
            owner.OfType("AWS::SecretsManager::Secret"), secret => Assert.Equal("us-west-2", (string?)secret.Properties["ReplicaRegions"]![0]!["Region"]));
        Assert.Equal("RateLimitsTable", Assert.Single(owner.OfType("AWS::DynamoDB::Table")).Id);
    }

    [Fact]
    public void The_second_region_makes_no_tables_and_names_the_same_ones()
    {
        var here = Platform.Build([]).Here;
        // One file of defaults serves both: where it is deployed makes the difference.
        (string, string)[] defaults = [("ReplicaRegion", "us-west-2")];
        var owner = Stack.Deploy(Template.Read("serverless.template"), "control-plane", here, defaults);
        var there = new Account("111111111111", "us-west-2");
        Stack.Deploy(Template.Read("infra/network.template"), "network", there,
            ("DomainName", Platform.Domain), ("HostedZoneId", "Z0123456789"), ("OrganizationId", "o-0123456789"), ("NatImage", Platform.Image));
        var replica = Stack.Deploy(Template.Read("serverless.template"), "control-plane", there, defaults);

        Assert.Empty(replica.OfType("AWS::DynamoDB::GlobalTable", "AWS::SecretsManager::Secret"));
        Assert.Equal((string?)owner.Properties("TenantsTable")["TableName"], (string?)Variables(replica, "DispatchFunction")["TENANTS_TABLE"]);
        Assert.Equal((string?)owner.Properties("TokenRootSecret")["Name"], (string?)Variables(replica, "JwksFunction")["TOKEN_ROOT_SECRET_ID"]);
        Assert.Equal("us-east-1", (string?)Variables(replica, "SweeperFunction")["PRIMARY_REGION"]);

        static JsonNode Variables(Stack stack, string function) => stack.Properties(function)["Environment"]!["Variables"]!;
    }

    [Fact]
    public void After_a_restore_every_function_uses_the_restored_tables_and_may_use_no_other()
    {
        var platform = Platform.WithPanel();
        var (here, panel) = (platform.Here, Platform.PanelOf(platform.Hub));
        var before = Stack.Deploy(Template.Read("serverless.template"), "control-plane", here, panel);
        var after = Stack.Deploy(Template.Read("serverless.template"), "control-plane", here, [("TableSuffix", "-20261126"), .. panel]);

        Assert.Equal(
            before.OfType("AWS::DynamoDB::GlobalTable").Select(one => (one.Id, one.Properties.ToJsonString())),
            after.OfType("AWS::DynamoDB::GlobalTable").Select(one => (one.Id, one.Properties.ToJsonString())));
        string[] restored = [.. after.OfType("AWS::DynamoDB::GlobalTable").Select(one => (string)one.Properties["TableName"]!)];
        foreach (var (id, function) in after.OfType("AWS::Serverless::Function"))
        {
            foreach (var (name, value) in function["Environment"]!["Variables"]!.AsObject().Where(one => one.Key.EndsWith("_TABLE", StringComparison.Ordinal)
                && one.Key != "RATE_LIMITS_TABLE"))
                Assert.Contains(value!.ToString(), restored.Select(table => $"{table}-20261126"));
            var granted = after.Resources[function["Role"]!.ToString().Split(':')[1].Split('.')[0]].ToJsonString();
            Assert.DoesNotContain(restored, table => System.Text.RegularExpressions.Regex.IsMatch(granted, $"table/{table}(?!-20261126)"));
        }
        Assert.Equal("control-plane-tenants-20261126", after.Outputs["TenantsTableName"]);
    }

    private static List<string> Findings(Template template)
    {
        var application = Platform.Build(template, []).Application;
        return [.. QueueFindings(application), .. SweeperFindings(application), .. TableFindings(template, application)];
    }

    private static IEnumerable<string> QueueFindings(Stack application)
    {
        var queues = application.OfType("AWS::SQS::Queue").ToDictionary(one => one.Id, one => one.Properties);
        var readers = application.OfType("AWS::Serverless::Function").SelectMany(function => function.Properties["Events"]!.AsObject()
            .Where(one => (string?)one.Value!["Type"] == "SQS").Select(one => (Function: function, Source: one.Value!["Properties"]!))).ToList();
        foreach (var (id, queue) in queues)
        {
            if ((bool?)queue["SqsManagedSseEnabled"] is not true)
                yield return $"{id} is not encrypted";
            if (id.EndsWith("DeadLetters", StringComparison.Ordinal))
            {
                if ((int?)queue["MessageRetentionPeriod"] != FourteenDays)
                    yield return $"{id} forgets before 14 days";
                if (!Watches(application, id, "ApproximateNumberOfMessagesVisible"))
                    yield return $"{id} is not watched";
                continue;
            }

            if (queue["RedrivePolicy"]?["deadLetterTargetArn"]?.ToString() is not { } target
                || queues.Keys.SingleOrDefault(other => $"{application.IdOf(other)}.Arn" == target) is not { } letters)
                yield return $"{id} never gives up";
            else if ((bool?)queues[letters]["FifoQueue"] != (bool?)queue["FifoQueue"])
                yield return $"{letters} is not of {id}'s kind";
            // Nothing else carries on a command that was accepted, or a dispatch: no execution is there yet, or it waits. Who is to be told is told by Slack's
            // address for half an hour, and for the other half by the bot.
            var atLeast = TimeSpan.FromHours(1);
            if ((int?)queue["RedrivePolicy"]?["maxReceiveCount"] * (int)queue["VisibilityTimeout"]! <= atLeast.TotalSeconds)
                yield return $"{id} gives up within {atLeast}";
            if (!Watches(application, id, "ApproximateAgeOfOldestMessage"))
                yield return $"{id}'s waiting time is not watched";
            if (readers.Where(one => one.Source["Queue"]!.ToString() == $"{application.IdOf(id)}.Arn").ToList() is not [var reader])
            {
                yield return $"{id} does not have one reader";
                continue;
            }
            // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's time, and the batch window.
            if ((int)queue["VisibilityTimeout"]! < 6 * (int)reader.Function.Properties["Timeout"]! + ((int?)reader.Source["MaximumBatchingWindowInSeconds"] ?? 0))
                yield return $"{id} shows a message again while it is worked on";
            if (!reader.Source["FunctionResponseTypes"].Texts().Contains("ReportBatchItemFailures"))
                yield return $"{id}: one bad message holds back its neighbours";
            if ((int?)reader.Source["ScalingConfig"]?["MaximumConcurrency"] is not { } most
                || most > (int)reader.Function.Properties["ReservedConcurrentExecutions"]!)
                yield return $"{id} is polled faster than {reader.Function.Id} may run";
        }
    }

    private static IEnumerable<string> SweeperFindings(Stack application)
    {
        var sweeper = application.Properties("SweeperFunction");
        if (sweeper["EventInvokeConfig"]?["DestinationConfig"]?["OnFailure"]?["Destination"]?.ToString() != $"{application.IdOf("SweeperDeadLetters")}.Arn")
            yield return "a failed sweep leaves no trace";
        if ((int?)sweeper["ReservedConcurrentExecutions"] != 1)
            yield return "two sweepers may run at once";
        if ((string?)sweeper["Events"]!["EveryMinute"]!["Properties"]!["ScheduleExpression"] != "rate(1 minute)")
            yield return "the sweeper does not run every minute";
    }

    private static IEnumerable<string> TableFindings(Template template, Stack application)
    {
        string[] expiring = ["TenantsTable", "ExecutionsTable", "RateLimitsTable", "MeteringTable", "AuditTable"];
        foreach (var (id, table) in application.OfType("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"))
        {
            var copies = table["Replicas"] is { } replicas ? replicas.Many() : [table];
            if (copies.Any(copy => (bool?)copy["DeletionProtectionEnabled"] is not true))
                yield return $"{id} may be deleted";
            if (copies.Any(copy => (bool?)copy["PointInTimeRecoverySpecification"]?["PointInTimeRecoveryEnabled"] is not true))
                yield return $"{id} cannot be restored";
            if ((string?)table["BillingMode"] != "PAY_PER_REQUEST" || (bool?)table["SSESpecification"]?["SSEEnabled"] is not true)
                yield return $"{id} is billed or encrypted otherwise";
            if (expiring.Contains(id) != ((string?)table["TimeToLiveSpecification"]?["AttributeName"] == "expires_at"))
                yield return $"{id} expires, or does not, against the rule";
        }
        foreach (var (id, resource) in template.OfType("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::SecretsManager::Secret"))
            if ((string?)resource["DeletionPolicy"] != "RetainExceptOnCreate" || (string?)resource["UpdateReplacePolicy"] != "Retain")
                yield return $"{id} goes with its stack";
    }

    private static bool Watches(Stack application, string queue, string metric) => application.OfType("AWS::CloudWatch::Alarm").Any(alarm =>
        (string?)alarm.Properties["MetricName"] == metric
            && alarm.Properties["Dimensions"]![0]!["Value"]!.ToString() == $"{application.IdOf(queue)}.QueueName"
            && alarm.Properties["AlarmActions"]!.AsArray().Count > 0);
}
