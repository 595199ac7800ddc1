using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.MeteringCollector.Outcomes;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Infra;

/// <summary>Whoever floods one way in takes nothing from those who use another, and the flood is told.</summary>
/// <remarks>The private API's firewall is played as its documentation says it judges: rules by priority, labels for the later ones, rates by key.
/// https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based.html</remarks>
public sealed class FloodTests
{
    private static readonly Stack Application = Platform.Build([]).Application;

    private static IReadOnlyList<TenantId> Tenants { get; } = [.. Enumerable.Range(1, 156).Select(number => TenantId.Parse($"tenant-{number}"))];

    [Fact]
    public void Every_tenant_is_counted_by_its_own_network_whichever_machine_sends()
    {
        var keys = Tenants.Select(tenant => Machines(tenant).Select(address => KeyOf("rate-per-tenant", address)).Distinct().Single()).ToList();

        Assert.DoesNotContain(null, keys);
        Assert.Equal(Tenants.Count, keys.Distinct().Count());
        Assert.All(["10.10.0.10", "10.20.0.10", "10.99.255.255"], stranger => Assert.Null(KeyOf("rate-per-tenant", stranger)));
    }

    [Theory]
    [InlineData(1)]                              // one machine
    [InlineData(1000)]                           // all that a network can start
    public void A_network_that_sends_more_than_its_share_is_blocked_alone(int machines)
    {
        var firewall = new Firewall(Application);
        var flood = Enumerable.Range(0, 6000).Select(i => $"10.142.{i % machines / 250}.{i % machines % 250 + 1}").ToList();
        var answers = flood.ConvertAll(address => firewall.Judge(address));

        Assert.Equal(429, answers[^1]);
        Assert.Null(firewall.Judge("10.141.1.10"));
        Assert.Null(firewall.Judge("10.143.1.10"));
    }

    /// <summary>What honest tenants send at most: every instance's heartbeat, each of them three times in a bad minute.</summary>
    [Fact]
    public void A_tenant_at_its_bound_is_within_its_share()
    {
        var firewall = new Firewall(Application);
        for (var minute = 0; minute < 3 * TenantLimits.StandardInstances; minute++)
            Assert.Null(firewall.Judge($"10.142.128.{minute % TenantLimits.StandardInstances + 1}", "/v1/metering/heartbeat", bytes: 1000));
    }

    [Fact]
    public void What_is_larger_than_the_function_takes_does_not_reach_it()
    {
        Assert.Null(Ask("/v1/metering/heartbeat", RecordHeartbeat.LargestBody));
        Assert.Equal(413, Ask("/v1/metering/heartbeat", RecordHeartbeat.LargestBody + 1));
        Assert.Equal(413, Ask("/metering/heartbeat", RecordHeartbeat.LargestBody + 1));     // by a name of one's own there is no stage in the path
        Assert.Null(Ask("/v1/outcomes/execution", RecordOutcome.LargestBody));
        Assert.Equal(413, Ask("/v1/outcomes/execution", 300_000));
        Assert.Equal(413, Ask("/v1/outcomes/execution", 10_000_000));

        static int? Ask(string path, int bytes) => new Firewall(Application).Judge("10.142.1.10", path, bytes);
    }

    [Fact]
    public void The_firewalls_own_answer_is_a_problem()
    {
        var (name, body) = Assert.Single(Application.Properties("PrivateFirewall")["CustomResponseBodies"]!.AsObject());
        var problem = JsonNode.Parse(body!["Content"]!.ToString())!;
        Assert.Equal((413, "/problems/too-large", false), ((int)problem["status"]!, (string?)problem["type"], (bool)problem["retryable"]!));
        Assert.All(Rules(Application).Select(rule => rule["Action"]!["Block"]?["CustomResponse"]).OfType<JsonNode>(), answer =>
            Assert.Equal((name, 413), ((string?)answer["CustomResponseBodyKey"], (int)answer["ResponseCode"]!)));
    }

    [Fact]
    public void The_firewall_stands_before_the_private_apis_stage()
    {
        var association = Application.Properties("PrivateFirewallAssociation");
        Assert.Equal($"{Application.IdOf("PrivateFirewall")}.Arn", association["WebACLArn"]!.ToString());
        Assert.Equal($"arn:aws:apigateway:us-east-1::/restapis/{Application.IdOf("PrivateApi")}/stages/v1", association["ResourceArn"]!.ToString());
    }

    /// <summary>A throttle is a bucket: a route without one of its own drinks from everybody's.</summary>
    [Fact]
    public void Every_route_of_the_private_api_has_a_throttle_of_its_own()
    {
        var routes = Events("Api").Select(one => $"{one["Method"]} {one["Path"]}").ToList();
        var own = Application.Properties("PrivateApi")["MethodSettings"].Many().Where(one => (string?)one["HttpMethod"] != "*")
            .ToDictionary(one => $"{one["HttpMethod"]} {one["ResourcePath"]!.ToString()[1..].Replace("~1", "/", StringComparison.Ordinal)}");

        Assert.Equal(routes.Order(), own.Keys.Order());
        Assert.All(own.Values, one => Assert.True((int)one["ThrottlingRateLimit"]! > 0 && (int)one["ThrottlingBurstLimit"]! > 0));
    }

    /// <summary>Names that everybody knows: the regional one has no firewall before it.</summary>
    [Fact]
    public void The_name_that_the_health_check_asks_leads_to_health_and_to_nothing_else()
    {
        var regional = Application.OfType("AWS::ApiGatewayV2::ApiMapping").Select(one => one.Properties)
            .Single(one => one["DomainName"]!.ToString() == "origin-us-east-1.example.com" || one["DomainName"]!.ToString() == Application.IdOf("RegionalOriginDomain"));
        var api = regional["ApiId"]!.ToString();

        Assert.NotEqual(Application.IdOf("PublicApi"), api);
        Assert.Equal(["GET /health"], Events("HttpApi").Where(one => one["ApiId"]!.ToString() == api).Select(one => $"{one["Method"]} {one["Path"]}"));
        Assert.All(Application.OfType("AWS::Serverless::HttpApi"), one => Assert.True((bool?)one.Properties["DisableExecuteApiEndpoint"]));
        Assert.NotNull(Application.Properties("PublicApi")["RouteSettings"]!["GET /health"]!["ThrottlingRateLimit"]);
    }

    [Theory]
    [InlineData("PublicApi", "POST /slack/commands", "PublicApiThrottled")]
    [InlineData("PrivateApi", "POST /outcomes/execution", "PrivateApiThrottled")]
    public void A_request_refused_as_too_many_is_counted_and_told(string api, string route, string alarm)
    {
        var log = Application.Properties(api)["AccessLogSettings"] ?? Application.Properties(api)["AccessLogSetting"]!;
        var group = log["DestinationArn"]!.ToString().Replace(".Arn", "", StringComparison.Ordinal);
        var filter = Application.OfType("AWS::Logs::MetricFilter").Select(one => one.Properties).Single(one => one["LogGroupName"]!.ToString() == group);
        var written = filter["MetricTransformations"]![0]!;
        var watched = Application.Properties(alarm);

        Assert.True(Matches(filter["FilterPattern"]!.ToString(), Line(429, route)));
        Assert.False(Matches(filter["FilterPattern"]!.ToString(), Line(200, route)));
        Assert.False(Matches(filter["FilterPattern"]!.ToString(), Line(503, route)));
        Assert.Equal(
            (written["MetricNamespace"]!.ToString(), written["MetricName"]!.ToString()), (watched["Namespace"]!.ToString(), watched["MetricName"]!.ToString()));
        Assert.NotEmpty(watched["AlarmActions"].Many());

        JsonNode Line(int status, string asked) => JsonNode.Parse(log["Format"]!.ToString()
            .Replace("$context.status", status.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("$context.routeKey", asked, StringComparison.Ordinal))!;
    }

    [Fact]
    public void A_flood_of_the_health_check_rings_for_itself_alone()
    {
        var pattern = Application.Properties("PublicApiRefusals")["FilterPattern"]!.ToString();
        var format = Application.Properties("HealthApi")["AccessLogSettings"]!["Format"]!.ToString();
        Assert.False(Matches(pattern, JsonNode.Parse(format.Replace("$context.status", "429", StringComparison.Ordinal)
            .Replace("$context.routeKey", "GET /health", StringComparison.Ordinal))!));
    }

    public static TheoryData<string, Action<JsonObject>> PlantedErrors => new()
    {
        { "a network is in no set", root => root.Set("Resources/NetworkLowA/Properties/Addresses", new JsonArray("10.106.0.0/16")) },
        { "two networks share a key", root => root.At("Resources/PrivateFirewall/Properties/Rules/26/Statement/RateBasedStatement/CustomKeys").AsArray().RemoveAt(0) },
        { "the labels come after the rate", root => root.Set("Resources/PrivateFirewall/Properties/Rules/26/Priority", -1) },
        { "the namespace is nobody's", root => root.Set(
            "Resources/PrivateFirewall/Properties/Rules/26/Statement/RateBasedStatement/CustomKeys/0/LabelNamespace/Namespace", "awswaf:1:webacl:other:network:high:") },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, Action<JsonObject> plant)
    {
        var planted = Platform.Build(Template.Read("serverless.template").With(plant), []).Application;
        var keys = Tenants.SelectMany(tenant => Machines(tenant).Select(address => KeyOf("rate-per-tenant", address, planted)).Distinct()).ToList();
        Assert.True(keys.Contains(null) || keys.Distinct().Count() != Tenants.Count || keys.Count != Tenants.Count, $"Nothing found although {error}.");
    }

    private static string? KeyOf(string rule, string address, Stack? application = null) =>
        new Firewall(application ?? Application).KeysOf(address).GetValueOrDefault(rule);

    private static IEnumerable<string> Machines(TenantId tenant) =>
        new[] { "0.1", "1.10", "128.10", "255.254" }.Select(host => $"10.{99 + tenant.Number}.{host}");

    private static IEnumerable<JsonNode> Events(string type) => Application.OfType("AWS::Serverless::Function")
        .SelectMany(function => function.Properties["Events"]!.AsObject()).Where(one => (string?)one.Value!["Type"] == type).Select(one => one.Value!["Properties"]!);

    private static IEnumerable<JsonNode> Rules(Stack application) =>
        application.Properties("PrivateFirewall")["Rules"].Many().OrderBy(rule => (int)rule["Priority"]!);

    /// <summary>A filter pattern of CloudWatch Logs over JSON: equalities, inequalities and a star at the end, joined by &amp;&amp;.</summary>
    private static bool Matches(string pattern, JsonNode line) => pattern.Trim('{', '}', ' ').Split(" && ").All(term =>
    {
        var parts = Regex.Match(term, """^\$\.(\w+) (=|!=) "([^"*]*)(\*?)"$""");
        Assert.True(parts.Success, term);
        var value = line[parts.Groups[1].Value]?.ToString() ?? "";
        var equal = parts.Groups[4].Length > 0 ? value.StartsWith(parts.Groups[3].Value, StringComparison.Ordinal) : value == parts.Groups[3].Value;
        return equal == (parts.Groups[2].Value == "=");
    });

    /// <summary>The private API's firewall over one minute.</summary>
    private sealed class Firewall(Stack application)
    {
        private readonly Dictionary<string, int> _counted = [];

        /// <returns>The status of a refusal; null when the request passes.</returns>
        public int? Judge(string address, string path = "/v1/outcomes/execution", int bytes = 200)
        {
            var keys = KeysOf(address);
            foreach (var rule in Rules(application).Where(rule => rule["Action"]!["Block"] is not null))
            {
                var name = rule["Name"]!.ToString();
                var statement = rule["Statement"]!;
                var blocks = statement["RateBasedStatement"] is { } rate
                    ? keys.TryGetValue(name, out var key) && (_counted[$"{name} {key}"] = _counted.GetValueOrDefault($"{name} {key}") + 1) > int.Parse(
                        rate["Limit"]!.ToString(), CultureInfo.InvariantCulture)
                    : Holds(statement, address, path, bytes);
                if (blocks)
                    return (int?)rule["Action"]!["Block"]!["CustomResponse"]?["ResponseCode"]
                        ?? (int)application.Properties("PrivateApi")["GatewayResponses"]!["WAF_FILTERED"]!["StatusCode"]!;
            }
            return null;
        }

        /// <summary>What each rule of a rate counts a request under. One whose key lacks a part does not count it.</summary>
        public Dictionary<string, string> KeysOf(string address)
        {
            List<string> labels = [];
            Dictionary<string, string> keys = [];
            foreach (var rule in Rules(application))
            {
                if (rule["Statement"]!["RateBasedStatement"] is { } rate)
                {
                    var parts = (string?)rate["AggregateKeyType"] == "IP"
                        ? [address]
                        : rate["CustomKeys"].Many().Select(key => string.Join(' ', labels.Where(
                            label => label.StartsWith(key["LabelNamespace"]!["Namespace"]!.ToString(), StringComparison.Ordinal)))).ToList();
                    if (parts.TrueForAll(part => part.Length > 0))
                        keys[rule["Name"]!.ToString()] = string.Join(' ', parts);
                }
                else if (rule["RuleLabels"] is { } own && Holds(rule["Statement"]!, address, "", 0))
                    labels.AddRange(own.Many().Select(
                        label => $"awswaf:111111111111:webacl:{application.Properties("PrivateFirewall")["Name"]}:{label["Name"]}"));
            }
            return keys;
        }

        private bool Holds(JsonNode statement, string address, string path, int bytes)
        {
            var (kind, of) = statement.AsObject().Single();
            return kind switch
            {
                "IPSetReferenceStatement" => application.OfType("AWS::WAFv2::IPSet").Single(set => $"{application.IdOf(set.Id)}.Arn" == of!["Arn"]!.ToString())
                    .Properties["Addresses"].Texts().Any(block => Cidr.Parse(block).Contains(address)),
                "AndStatement" => of!["Statements"].Many().All(one => Holds(one, address, path, bytes)),
                "ByteMatchStatement" when (string?)of!["PositionalConstraint"] == "ENDS_WITH" => path.EndsWith(of["SearchString"]!.ToString(), StringComparison.Ordinal),
                "SizeConstraintStatement" when (string?)of!["ComparisonOperator"] == "GT" => bytes > (int)of["Size"]!,
                "RegexMatchStatement" => Regex.IsMatch(bytes.ToString(CultureInfo.InvariantCulture), of!["RegexString"]!.ToString()),
                _ => throw new NotSupportedException(kind),
            };
        }
    }
}
