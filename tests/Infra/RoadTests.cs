using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>The road of one execution, each step read from the templates: name, API, route, function, queue, function, … and back.</summary>
public sealed class RoadTests
{
    [Fact]
    public void From_Slack_to_the_engine_and_back() => Assert.Empty(Breaks(Platform.Build(["tenant-43"])));

    public static TheoryData<string, string, Action<JsonObject>> PlantedErrors => new()
    {
        { "the API's name leads elsewhere", "infra/edge.template",
            root => root.Set("Resources/ApiRecord/Properties/AliasTarget/DNSName", "elsewhere.example") },
        { "CloudFront asks another origin", "infra/edge.template",
            root => root.Set("Resources/Distribution/Properties/DistributionConfig/Origins/0/DomainName/Fn::Sub", "api.${DomainName}") },
        { "the firewall lets no command through", "infra/edge.template",
            root => root.At("Resources/Firewall/Properties/Rules/4/Statement/OrStatement/Statements").AsArray().RemoveAt(0) },
        { "the origin's name is no domain of the API", "serverless.template", root => root.Drop("Resources/OriginMapping") },
        { "the API answers under its own name too", "serverless.template",
            root => root.Set("Resources/PublicApi/Properties/DisableExecuteApiEndpoint", false) },
        { "the command's route is missing", "serverless.template", root => root.Drop("Resources/SlackCommandsFunction/Properties/Events/Commands") },
        { "commands go to the wrong queue", "serverless.template",
            root => root.Set("Resources/SlackCommandsFunction/Properties/Environment/Variables/EXECUTION_REQUESTS_QUEUE_URL/Ref", "DispatchQueue") },
        { "executions go to the wrong queue", "serverless.template",
            root => root.Set("Resources/ExecutionRequestsFunction/Properties/Environment/Variables/DISPATCH_QUEUE_URL/Ref", "NotificationsQueue") },
        { "nobody reads the requests", "serverless.template", root => root.Drop("Resources/ExecutionRequestsFunction/Properties/Events/Queue") },
        { "outcomes are posted to a route that is not there", "serverless.template",
            root => root.Set("Resources/OutcomesFunction/Properties/Events/Outcome/Properties/Path", "/outcomes") },
        { "the private API's policy forgets outcomes", "serverless.template",
            root => root.At("Resources/PrivateApi/Properties/Auth/ResourcePolicy/CustomStatements/0/Resource").AsArray().RemoveAt(0) },
        { "the callback's host is not the private API", "serverless.template", root => root.Set("Resources/ExecutionRequestsFunction/Properties/Environment/Variables/OUTCOMES_URL", JsonNode.Parse("""{ "Fn::Sub": "${ControlPlaneUrl}/outcomes/execution" }""")) },
        { "results go to the wrong queue", "serverless.template",
            root => root.Set("Resources/OutcomesFunction/Properties/Environment/Variables/NOTIFICATIONS_QUEUE_URL/Ref", "DispatchQueue") },
        { "the poster cannot leave", "serverless.template",
            root => root.Set("Resources/SlackNotificationsFunction/Properties/VpcConfig/SecurityGroupIds/0/Ref", "FunctionsSecurityGroup") },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, string template, Action<JsonObject> plant) =>
        Assert.True(Breaks(Platform.Build(Template.Read(template).With(plant), ["tenant-43"])).Count > 0, $"Nothing found although {error}.");

    private static List<string> Breaks(Platform platform)
    {
        var breaks = new List<string>();
        var network = platform.Network();
        var landmarks = new Landmarks(platform, network);
        var application = platform.Application;

        // There.
        Step(
            "api.example.com → CloudFront",
            platform.Edge.Properties("ApiRecord")["AliasTarget"]!["DNSName"]!.ToString() == $"{platform.Edge.IdOf("Distribution")}.DomainName");
        var origin = platform.Edge.Properties("Distribution")["DistributionConfig"]!["Origins"]![0]!["DomainName"]!.ToString();
        var failover = platform.Edge.OfType("AWS::Route53::RecordSet")
            .FirstOrDefault(record => (string?)record.Properties["Name"] == origin && (string?)record.Properties["Failover"] == "PRIMARY").Properties;
        Step("the firewall → POST /slack/commands", Allows(platform.Edge, "POST", "/slack/commands"));
        var domain = application.OfType("AWS::ApiGatewayV2::DomainName").FirstOrDefault(one => (string?)one.Properties["DomainName"] == origin).Id;
        Step(
            "CloudFront → origin → the public API's domain",
            domain is not null && failover?["AliasTarget"]!["DNSName"]!.ToString() == $"{application.IdOf(domain)}.RegionalDomainName");
        Step("that domain → the public API", application.OfType("AWS::ApiGatewayV2::ApiMapping").Any(one => domain is not null
            && (string?)one.Properties["DomainName"] == application.IdOf(domain) && (string?)one.Properties["ApiId"] == application.IdOf("PublicApi")));
        Step("no way round CloudFront's name", (bool?)application.Properties("PublicApi")["DisableExecuteApiEndpoint"] is true);
        var commands = Route("HttpApi", "POST", "/slack/commands");
        Step("the public API → commands", commands == "SlackCommandsFunction");
        var orchestrator = Next(commands, "EXECUTION_REQUESTS_QUEUE_URL");
        Step("commands → orchestrator", orchestrator == "ExecutionRequestsFunction");
        var dispatcher = Next(orchestrator, "DISPATCH_QUEUE_URL");
        Step("orchestrator → dispatcher", dispatcher == "DispatchFunction");
        var engine = landmarks.Named("tenant-43 engine in its public range").Single();
        Step(
            "dispatcher → engine",
            landmarks.Named(dispatcher ?? "").Any() && landmarks.Named(dispatcher!).All(from => network.WhatStops(from, engine, 5678) is null));

        // And back.
        var callback = new Uri(application.Properties("ExecutionRequestsFunction")["Environment"]!["Variables"]!["OUTCOMES_URL"]!.ToString());
        Step(
            "the callback's host is the private API's",
            callback.Host == $"{application.IdOf("PrivateApi")}-{platform.Hub.IdOf("PrivateApiInterface")}.execute-api.us-east-1.amazonaws.com");
        Step("engine → private API", landmarks.Named("PrivateApiInterface").All(to => network.WhatStops(engine, to, 443) is null));
        var path = callback.AbsolutePath.StartsWith("/v1/", StringComparison.Ordinal) ? callback.AbsolutePath["/v1".Length..] : "";
        Step("the private API's policy admits it", application.Properties("PrivateApi")["Auth"]!["ResourcePolicy"]!["CustomStatements"]![0]!["Resource"].Texts().Contains($"execute-api:/v1/POST{path}"));
        var outcomes = Route("Api", "POST", path);
        Step("the private API → outcomes", outcomes == "OutcomesFunction");
        var notifications = Next(outcomes, "NOTIFICATIONS_QUEUE_URL");
        Step("outcomes → notifications", notifications == "SlackNotificationsFunction");
        Step(
            "notifications → Slack",
            landmarks.Named(notifications ?? "").Any() && landmarks.Named(notifications!).All(from => network.WhatStops(from, Landmarks.Slack, 443) is null));
        Step("heartbeats have their route", Route("Api", "POST", "/metering/heartbeat") == "HeartbeatsFunction");
        return breaks;

        void Step(string name, bool isThere)
        {
            if (!isThere)
                breaks.Add(name);
        }

        string? Route(string type, string method, string route) =>
            application.OfType("AWS::Serverless::Function").FirstOrDefault(function => function.Properties["Events"]!.AsObject().Any(one =>
            (string?)one.Value!["Type"] == type
                && (string?)one.Value["Properties"]!["Method"] == method && (string?)one.Value["Properties"]!["Path"] == route)).Id;

        string? Next(string? function, string queue) => function is null
            ? null
            : application.OfType("AWS::Serverless::Function").FirstOrDefault(reader => reader.Properties["Events"]!.AsObject().Any(one =>
            one.Value!["Properties"]!["Queue"]?.ToString() == $"{application.Properties(function)["Environment"]!["Variables"]![queue]}.Arn")).Id;
    }

    private static bool Allows(Stack edge, string method, string path) => edge.Properties("Firewall")["Rules"].Many()
        .Where(rule => rule["Action"]?["Allow"] is not null)
        .SelectMany(rule => rule["Statement"]!["OrStatement"]!["Statements"].Many())
        .Any(statement => statement["AndStatement"]!["Statements"].Many().Select(one => one["ByteMatchStatement"]!["SearchString"]!.ToString()).Order().SequenceEqual(new[] { method, path }.Order()));
}
