using System.Text.Json.Nodes;
using ControlPlane.Aws.Logs;

namespace ControlPlane.Tests.Infra;

/// <summary>What is watched, and that what is watched exists.</summary>
public sealed class MonitoringTests
{
    private static readonly string[] Templates = ["serverless.template", "infra/network.template", "infra/edge.template", "infra/tenant-data-plane.template"];

    /// <summary>What our functions write for alarms to watch; their tests make each of them happen.</summary>
    private static readonly HashSet<MetricSeries> Watched = [.. MetricCatalogue.All.SelectMany(metric => metric.Watched)];

    private static readonly HashSet<MetricSeries> Undivided = [.. MetricCatalogue.All.OfType<Metric.Plain>().Select(metric => new MetricSeries(metric.Name))];

    [Fact]
    public void Everything_that_can_fail_is_watched_and_every_alarm_is_told() => Assert.Empty(Templates.SelectMany(name => Findings(Template.Read(name))));

    [Fact]
    public void The_dashboard_shows_every_function_and_every_queue()
    {
        var application = Platform.WithPanel().Application;
        Assert.DoesNotContain("admin-panel", (string)Platform.Build([]).Application.Properties("Dashboard")["DashboardBody"]!, StringComparison.Ordinal);
        var widgets = JsonNode.Parse((string)application.Properties("Dashboard")["DashboardBody"]!)!["widgets"]!.ToJsonString();

        Assert.All(
            application.OfType("AWS::Serverless::Function"),
            function => Assert.Contains($"\"{application.IdOf(function.Id)}\"", widgets, StringComparison.Ordinal));
        Assert.All(
            application.OfType("AWS::SQS::Queue"), queue => Assert.Contains($"{application.IdOf(queue.Id)}.QueueName", widgets, StringComparison.Ordinal));
    }

    [Fact]
    public void The_alarm_topic_and_its_key_admit_those_who_publish_there_and_nobody_else()
    {
        var hub = Platform.Build([]).Hub;
        Dictionary<string, string> services = new()
        {
            ["AWS::CloudWatch::Alarm"] = "cloudwatch.amazonaws.com",
            ["AWS::Events::Rule"] = "events.amazonaws.com",
            ["AWS::Backup::BackupVault"] = "backup.amazonaws.com",
        };
        var publishers = services.Where(
            one => hub.OfType(one.Key).Any(by => by.Properties.ToJsonString().Contains(hub.IdOf("AlarmTopic"), StringComparison.Ordinal)));

        Assert.Equal(publishers.Select(one => one.Value).Order(), Admitted(hub.Properties("AlarmKey")["KeyPolicy"]!));
        Assert.Equal(publishers.Select(one => one.Value).Order(), Admitted(hub.Properties("AlarmTopicPolicy")["PolicyDocument"]!));

        static IEnumerable<string> Admitted(JsonNode policy) =>
            policy["Statement"].Many().SelectMany(statement => statement["Principal"]!["Service"].Texts()).Order();
    }

    [Fact]
    public void The_owner_watches_how_far_each_copy_lags_and_the_standby_that_it_is_the_one_who_serves()
    {
        var here = Platform.Build([]).Here;
        var owner = Stack.Deploy(Template.Read("serverless.template"), "control-plane", here, ("ReplicaRegion", "us-west-2"));
        var standby = Stack.Deploy(Template.Read("serverless.template"), "control-plane", here, ("PrimaryRegion", "eu-west-1"));

        Assert.Equal(
            owner.OfType("AWS::DynamoDB::GlobalTable").Select(one => owner.IdOf(one.Id)).Order(),
            Of(owner, "ReplicationLatency").Select(one => one["Dimensions"]![0]!["Value"]!.ToString()).Order());
        Assert.All(Of(owner, "ReplicationLatency"), alarm => Assert.Equal("us-west-2", alarm["Dimensions"]![1]!["Value"]!.ToString()));
        Assert.Empty(Of(standby, "ReplicationLatency"));

        var serves = Assert.Single(Of(standby, "Count"));
        Assert.Equal(
            $"{standby.IdOf("PublicApi")} $default POST /slack/commands",
            string.Join(' ', serves["Dimensions"].Many().Select(one => one["Value"]!.ToString())));
        Assert.True((bool?)standby.Properties("PublicApi")["DefaultRouteSettings"]!["DetailedMetricsEnabled"]);     // without it no route is counted
        Assert.Empty(Of(owner, "Count"));

        static IEnumerable<JsonObject> Of(Stack stack, string metric) =>
            stack.OfType("AWS::CloudWatch::Alarm").Select(one => one.Properties).Where(one => (string?)one["MetricName"] == metric);
    }

    [Fact]
    public void Nothing_is_logged_that_a_request_carries()
    {
        var application = Template.Read("serverless.template");
        foreach (var format in new[] { application.Root.At("Resources/PublicApi/Properties/AccessLogSettings/Format"),
            application.Root.At("Resources/HealthApi/Properties/AccessLogSettings/Format"),
            application.Root.At("Resources/PrivateApi/Properties/AccessLogSetting/Format") })
        {
            Assert.DoesNotContain("query", (string)format!, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("header", (string)format!, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("body", (string)format!, StringComparison.OrdinalIgnoreCase);
            Assert.NotNull(JsonNode.Parse((string)format!));
        }
        Assert.False((bool?)application.Root.At("Resources/PrivateApi/Properties/MethodSettings/0/DataTraceEnabled"));
        Assert.NotNull(Template.Read("infra/edge.template").Root.At("Resources/FirewallLog/Properties/RedactedFields"));
    }

    [Fact]
    public void Every_function_logs_to_a_group_that_forgets()
    {
        var application = Platform.WithPanel().Application;

        Assert.All(application.OfType("AWS::Serverless::Function"), function =>
            Assert.NotNull(application.OfType("AWS::Logs::LogGroup").Single(group => application.IdOf(group.Id) == (string?)function.Properties["LoggingConfig"]!["LogGroup"]).Properties["RetentionInDays"]));
    }

    public static TheoryData<string, string, Action<JsonObject>> PlantedErrors => new()
    {
        { "an alarm that tells nobody", "serverless.template", root => root.Set("Resources/JwksErrors/Properties/AlarmActions", new JsonArray()) },
        { "an alarm whose end nobody is told", "serverless.template", root => root.Drop("Resources/JwksErrors/Properties/OKActions") },
        { "an alarm on a metric that nobody writes", "serverless.template",
            root => root.Set("Resources/EnginesRefuseTokens/Properties/MetricName", "DispatchUnauthorised") },
        { "an alarm on a value that nobody writes", "serverless.template",
            root => root.Set("Resources/CounterConflicts/Properties/Dimensions/0/Value", "conflict") },
        { "the wrong dimension", "serverless.template", root => root.Set("Resources/CounterConflicts/Properties/Dimensions/0/Name", "Result") },
        { "a dimension that the metric does not have", "serverless.template",
            root => root.Set("Resources/HeartbeatGaps/Properties/Dimensions", JsonNode.Parse("""[{ "Name": "Outcome", "Value": "accepted" }]""")) },
        { "a dimension that the metric has is left out", "serverless.template", root => root.Drop("Resources/CounterConflicts/Properties/Dimensions") },
        { "the dashboard shows a metric with a dimension that it does not have", "serverless.template", root => root.Set(
            "Resources/Dashboard/Properties/DashboardBody/Fn::Sub/0",
            root.At("Resources/Dashboard/Properties/DashboardBody/Fn::Sub/0").ToString()
                .Replace("\"HeartbeatGap\"", "\"HeartbeatGap\",\"Outcome\",\"accepted\"", StringComparison.Ordinal)) },
        { "what is meant to ring has no alarm", "serverless.template", root => root.Drop("Resources/DispatchesGivenUp") },
        { "what is meant to ring inside an expression has no alarm", "serverless.template", root => root.Set(
            "Resources/PeeringNearLimit/Properties/Metrics/1/MetricStat/Metric/MetricName", "TenantsServed") },
        { "an alarm on a metric that is not meant to ring", "serverless.template",
            root => root.Set("Resources/SweepsFail/Properties/MetricName", "NotificationsResent") },
        { "the dashboard shows a metric that nobody writes", "serverless.template", root => root.Set(
            "Resources/Dashboard/Properties/DashboardBody/Fn::Sub/0",
            root.At("Resources/Dashboard/Properties/DashboardBody/Fn::Sub/0").ToString()
                .Replace("\"HeartbeatGap\"", "\"HeartbeatGaps\"", StringComparison.Ordinal)) },
        { "a function's errors are not watched", "serverless.template", root => root.Drop("Resources/OutcomesErrors") },
        { "a function's throttles are not watched", "serverless.template", root => root.Drop("Resources/HeartbeatsThrottles") },
        { "a table's throttles are not watched", "serverless.template", root => root.Drop("Resources/QuotasTableThrottled") },
        { "an index's throttles are not watched", "serverless.template",
            root => root.At("Resources/ExecutionsTableThrottled/Properties/Metrics").AsArray().RemoveAt(6) },
        { "DynamoDB's own failures are not watched", "serverless.template", root => root.Drop("Resources/QuotasTableFails") },
        { "the peering limit is not watched", "serverless.template", root => root.Drop("Resources/PeeringNearLimit") },
        { "the peering alarm is too late", "serverless.template", root => root.Set("Resources/PeeringNearLimit/Properties/Threshold", 100) },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, string template, Action<JsonObject> plant) =>
        Assert.True(Findings(Template.Read(template).With(plant)).Any(), $"Nothing found although {error}.");

    private static IEnumerable<string> Findings(Template template)
    {
        var alarms = template.OfType("AWS::CloudWatch::Alarm").Select(one => (one.Id, Properties: one.Resource["Properties"]!)).ToList();
        foreach (var (id, alarm) in alarms)
        {
            if (alarm["AlarmActions"] is not JsonArray { Count: > 0 })
                yield return $"{id} tells nobody";
            else if (!alarm["OKActions"].Many().Any(over => alarm["AlarmActions"].Many().Any(told => JsonNode.DeepEquals(told, over))))
                yield return $"{id} tells nobody when it is over";
            foreach (var series in SeriesOf(alarm).Where(series => !Watched.Contains(series)))
                yield return $"{id} watches {series}, which is not meant to ring or which no function writes";
        }
        foreach (var series in Shown(template).Except(Watched).Except(Undivided))
            yield return $"The dashboard shows {series}, which no function writes";

        if (template.Name != "serverless.template")
            yield break;
        foreach (var series in Watched.Except(alarms.SelectMany(alarm => SeriesOf(alarm.Properties))))
            yield return $"{series} is meant to ring and has no alarm";
        foreach (var (id, _) in template.OfType("AWS::Serverless::Function"))
            foreach (var metric in new[] { "Errors", "Throttles" })
                if (!alarms.Exists(one => (string?)one.Properties["MetricName"] == metric && (string?)one.Properties["Dimensions"]?[0]?["Value"]?["Ref"] == id))
                    yield return $"{id}'s {metric} are not watched";
        foreach (var (id, table) in template.OfType("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"))
        {
            var named = table["Properties"]!["TableName"]!["Fn::Sub"]!.ToString();
            var watched = alarms.SelectMany(one => one.Properties["Metrics"].Many()).Select(one => one["MetricStat"]?["Metric"]).OfType<JsonNode>()
                .Where(metric => metric["Dimensions"].Many().Any(one => (one["Value"] as JsonObject)?["Fn::Sub"]?.ToString().Replace("${TableSuffix}", "",
                    StringComparison.Ordinal) == named)).ToList();
            var indexes = table["Properties"]!["GlobalSecondaryIndexes"].Many().Select(one => one["IndexName"]!.ToString()).Prepend("").ToList();
            foreach (var metric in new[] { "ReadThrottleEvents", "WriteThrottleEvents" })
                foreach (var index in indexes.Where(index => !watched.Exists(one => (string?)one["MetricName"] == metric
                    && (one["Dimensions"]!.AsArray().Count == 1 ? "" : one["Dimensions"]![1]!["Value"]!.ToString()) == index)))
                    yield return $"{id} {index}: {metric} are not watched";
            if (!watched.Exists(one => (string?)one["MetricName"] == "SystemErrors"))
                yield return $"{id}: nobody sees DynamoDB itself fail";
        }
        if (!alarms.Exists(one => one.Id == "PeeringNearLimit" && (int)one.Properties["Threshold"]! == 80
            && one.Properties["Metrics"]![0]!["Expression"]!.ToJsonString().Contains("100 * tenants / ${PeeringLimit}", StringComparison.Ordinal)))
            yield return "nobody notices that the peerings run out";
    }

    /// <summary>Our own metrics that an alarm watches, alone or in an expression.</summary>
    private static IEnumerable<MetricSeries> SeriesOf(JsonNode alarm) =>
        alarm["Metrics"].Many().Select(one => one["MetricStat"]?["Metric"]).OfType<JsonNode>().Append(alarm)
        .Where(metric => metric["Namespace"]?.ToString() == Metrics.Namespace)
        .Select(metric => Series([metric["MetricName"]!.ToString(),
            .. metric["Dimensions"].Many().SelectMany(one => new[] { one["Name"]!.ToString(), one["Value"]!.ToString() })]));

    /// <summary>Our own metrics on the dashboard.</summary>
    private static IEnumerable<MetricSeries> Shown(Template template) => template.OfType("AWS::CloudWatch::Dashboard")
        .SelectMany(one => JsonNode.Parse(BodyOf(one.Resource.At("Properties/DashboardBody/Fn::Sub")))!["widgets"].Many())
        .SelectMany(widget => widget["properties"]?["metrics"].Many() ?? [])
        .Select(metric => metric.Many().Where(part => part is JsonValue).Select(part => part.ToString()).ToArray())
        .Where(metric => metric[0] == Metrics.Namespace).Select(metric => Series(metric[1..]));

    // With all that a condition may add.
    private static string BodyOf(JsonNode parts) => parts[1]!.AsObject().Aggregate(parts[0]!.ToString(), (body, one) =>
        body.Replace($"${{{one.Key}}}", one.Value!["Fn::If"]![1]!["Fn::Sub"]!.ToString(), StringComparison.Ordinal));

    /// <remarks>CloudWatch keeps a metric for each set of dimensions, and ours have one at most.</remarks>
    /// <param name="parts">The metric, then each dimension's name and value.</param>
    private static MetricSeries Series(string[] parts) => parts switch
    {
        [var metric] => new(metric),
        [var metric, var dimension, var value] => new(metric, dimension, value),
        _ => new(string.Join(' ', parts)),
    };
}
