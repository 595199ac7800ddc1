using System.Text.Json.Nodes;
using ControlPlane.Aws.Logs;

namespace ControlPlane.Tests.Infra;

/// <summary>Names that lead where they say, and a firewall that lets a user's words through.</summary>
public sealed class EdgeTests
{
    /// <summary>The rules of AWS's groups that look at a body.</summary>
    /// <remarks>https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html</remarks>
    private static readonly Dictionary<string, string[]> RulesOnBodies = new()
    {
        ["AWSManagedRulesCommonRuleSet"] = ["SizeRestrictions_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "CrossSiteScripting_BODY"],
        ["AWSManagedRulesKnownBadInputsRuleSet"] = ["JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"],
        ["AWSManagedRulesAmazonIpReputationList"] = [],
    };

    [Fact]
    public void Every_rule_that_looks_at_a_body_counts_only()
    {
        var groups = Platform.Build([]).Edge.Properties("Firewall")["Rules"].Many().Select(rule => rule["Statement"]!["ManagedRuleGroupStatement"])
            .OfType<JsonNode>();
        Assert.All(groups, group =>
        {
            var counting = group["RuleActionOverrides"].Many().Where(one => one["ActionToUse"]!["Count"] is not null).Select(one => one["Name"]!.ToString());
            Assert.Equal(RulesOnBodies[(string)group["Name"]!].Order(), counting.Order());
        });
    }

    [Fact]
    public void The_edge_writes_down_who_asked_for_what_and_nothing_that_a_request_carries()
    {
        var edge = Platform.Build([]).Edge;
        Assert.EndsWith($"distribution/{edge.IdOf("Distribution")}", edge.Properties("AccessLogSource")["ResourceArn"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal($"{edge.IdOf("AccessLogs")}.Arn", edge.Properties("AccessLogDestination")["DestinationResourceArn"]!.ToString());
        Assert.NotNull(edge.Properties("AccessLogs")["LifecycleConfiguration"]!["Rules"]![0]!["ExpirationInDays"]);
        Assert.DoesNotContain(
            edge.Properties("AccessLogDelivery")["RecordFields"].Texts(),
            field => field.Contains("query") || field.Contains("cookie", StringComparison.OrdinalIgnoreCase) || field.StartsWith("cs("));
        Assert.Contains("sc-status", edge.Properties("AccessLogDelivery")["RecordFields"].Texts());
    }

    /// <summary>Who answers origin's name: the tree of health checks, decided for every state that its leaves can be in.</summary>
    [Theory]
    [InlineData(true, true, false, "us-east-1")]
    [InlineData(false, true, false, "us-east-1")]       // /health is flooded, or its road is cut: the hub itself goes on
    [InlineData(true, false, false, "us-east-1")]       // the sweeper is switched off
    [InlineData(false, false, false, "us-west-2")]
    [InlineData(true, true, true, "us-west-2")]         // somebody decided: it does not come back by itself
    [InlineData(true, false, true, "us-west-2")]
    [InlineData(false, false, true, "us-west-2")]
    public void DNS_goes_over_when_the_hub_is_silent_inside_too_and_stays_while_the_standby_is_active(
        bool healthAnswers, bool sweeperCounts, bool standbyIsActive, string expected)
    {
        var edge = Platform.Build([]).Edge;
        var pair = edge.OfType("AWS::Route53::RecordSet").Select(one => one.Properties).Where(one => one["Failover"] is not null).ToList();

        Assert.Equal(expected, (string?)pair.OrderBy(one => (string?)one["Failover"]).First(one => IsHealthy(one["HealthCheckId"]!.ToString()))["SetIdentifier"]);

        bool IsHealthy(string id)
        {
            var check = edge.OfType("AWS::Route53::HealthCheck").Single(one => edge.IdOf(one.Id) == id).Properties["HealthCheckConfig"]!;
            return (string?)check["Type"] switch
            {
                "HTTPS" => healthAnswers || (string?)check["FullyQualifiedDomainName"] != "origin-us-east-1.example.com",
                "CLOUDWATCH_METRIC" => (string?)check["AlarmIdentifier"]!["Region"] == "us-west-2" ? !standbyIsActive : sweeperCounts,
                "CALCULATED" => check["ChildHealthChecks"].Texts().Count(IsHealthy) >= (int)check["HealthThreshold"]!,
                var other => throw new InvalidDataException($"{id} is a check of type {other}."),
            };
        }
    }

    /// <summary>The alarm that DNS waits for is the standby's own, on what its sweeper says, and without a value it stays as it was.</summary>
    [Fact]
    public void The_check_of_the_standby_watches_what_its_sweeper_says()
    {
        var platform = Platform.Build([]);
        var check = platform.Edge.Properties("SecondaryIsIdle")["HealthCheckConfig"]!;
        var standby = Stack.Deploy(Template.Read("serverless.template"), "control-plane", platform.Here, ("PrimaryRegion", "eu-west-1"));
        var alarm = standby.OfType("AWS::CloudWatch::Alarm").Select(one => one.Properties)
            .Single(one => (string?)one["AlarmName"] == (string?)check["AlarmIdentifier"]!["Name"]);

        Assert.Equal("LastKnownStatus", (string?)check["InsufficientDataHealthStatus"]);
        Assert.Equal(MetricCatalogue.RegionIsActive.Name, (string?)alarm["MetricName"]);
        Assert.Equal("Maximum GreaterThanOrEqualToThreshold 1 missing", $"{alarm["Statistic"]} {alarm["ComparisonOperator"]} {alarm["Threshold"]} {alarm["TreatMissingData"]}");
        Assert.Equal(1, (int?)alarm["EvaluationPeriods"]);
        Assert.Null(alarm["DatapointsToAlarm"]);
        Assert.DoesNotContain(platform.Application.OfType("AWS::CloudWatch::Alarm"), one => one.Id == "RegionActive");
    }

    /// <summary>What decides from inside is written by the sweeper, which nobody outside can call; and Route 53 can read it.</summary>
    /// <remarks>https://docs.aws.amazon.com/Route53/latest/APIReference/API_AlarmIdentifier.html</remarks>
    [Fact]
    public void The_check_from_inside_watches_what_nobody_outside_can_write()
    {
        var platform = Platform.Build([]);
        var check = Assert.Single(
            platform.Edge.OfType("AWS::Route53::HealthCheck"),
            one => (string?)one.Properties["HealthCheckConfig"]!["AlarmIdentifier"]?["Region"] == "us-east-1").Properties["HealthCheckConfig"]!;
        var alarm = platform.Edge.OfType("AWS::CloudWatch::Alarm")
            .Single(one => platform.Edge.IdOf(one.Id) == check["AlarmIdentifier"]!["Name"]!.ToString()).Properties;

        Assert.Equal(MetricCatalogue.TenantsRegistered.Name, (string?)alarm["MetricName"]);     // SweeperTests see each sweep write it
        Assert.Equal("Unhealthy", (string?)check["InsufficientDataHealthStatus"]);              // a region that is gone says nothing
        Assert.Contains((string?)alarm["Statistic"], new[] { "Average", "Minimum", "Maximum", "Sum", "SampleCount" });
        Assert.Null(alarm["Metrics"]);
        Assert.Null(alarm["DatapointsToAlarm"]);
        Assert.DoesNotContain(platform.Application.Properties("SweeperFunction")["Events"]!.AsObject(), one => (string?)one.Value!["Type"] is "Api" or "HttpApi");
    }

    /// <summary>API Gateway answers a name at its own target only.</summary>
    [Fact]
    public void Every_name_of_the_public_api_leads_to_its_own_domain()
    {
        var platform = Platform.Build([]);
        foreach (var (id, domain) in platform.Application.OfType("AWS::ApiGatewayV2::DomainName"))
        {
            var records = platform.Edge.OfType("AWS::Route53::RecordSet").Select(one => one.Properties)
                .Where(one => (string?)one["SetIdentifier"] is null or "us-east-1");
            var record = records.Single(one => one["Name"]!.ToString() == domain["DomainName"]!.ToString());
            Assert.Equal($"{platform.Application.IdOf(id)}.RegionalDomainName", (string?)record["AliasTarget"]!["DNSName"]);
            Assert.Equal($"{platform.Application.IdOf(id)}.RegionalHostedZoneId", (string?)record["AliasTarget"]!["HostedZoneId"]);
        }
    }

    [Fact]
    public void The_second_regions_names_lead_to_their_own_domains()
    {
        var here = Platform.Build([]).Here;
        (string, string)[] pair = [("SecondaryTarget", "d-pair.example"), ("SecondaryTargetZoneId", "Z1")];
        (string, string)[] region = [("SecondaryRegionTarget", "d-west.example"), ("SecondaryRegionTargetZoneId", "Z2")];
        var edge = Deploy([.. pair, .. region, ("SecondaryActiveAlarm", "control-plane-region-active")]);

        Assert.Equal("d-pair.example Z1", TargetOf("SecondaryOriginRecord"));
        Assert.Equal("d-west.example Z2", TargetOf("SecondaryRegionRecord"));
        Assert.Throws<StackRefused>(() => Deploy(pair));
        Assert.Throws<StackRefused>(() => Deploy([.. pair, .. region]));

        Stack Deploy((string, string)[] second) =>
            Stack.Deploy(Template.Read("infra/edge.template"), "edge", here, [("OriginVerifyVersion", "01234567-89ab-cdef-0123-456789abcdef"), .. second]);

        string TargetOf(string record) => $"{edge.Properties(record)["AliasTarget"]!["DNSName"]} {edge.Properties(record)["AliasTarget"]!["HostedZoneId"]}";
    }

    /// <summary>An alarm that lives in the region on which it reports is silent when that region is.</summary>
    [Fact]
    public void The_primary_is_watched_from_the_second_region_as_soon_as_there_is_one()
    {
        var here = Platform.Build([]).Here;
        var standby = Stack.Deploy(Template.Read("serverless.template"), "control-plane", here, ("PrimaryRegion", "eu-west-1"));
        var watch = standby.Properties("PrimaryWatch");
        var target = Assert.Single(watch["Targets"].Many());
        var destination = standby.Properties("PrimaryHealth");
        var alarm = standby.Properties("PrimaryUnhealthy");

        Assert.Equal("GET https://origin-eu-west-1.example.com/health", $"{destination["HttpMethod"]} {destination["InvocationEndpoint"]}");
        Assert.Equal($"{standby.IdOf("PrimaryHealth")}.Arn", (string?)target["Arn"]);
        Assert.Equal(0, (int?)target["RetryPolicy"]!["MaximumRetryAttempts"]);                    // a failure that is tried again is not counted
        Assert.Equal(
            $"AWS/Events FailedInvocations {standby.IdOf("PrimaryWatch")}",
            $"{alarm["Namespace"]} {alarm["MetricName"]} {alarm["Dimensions"]![0]!["Value"]}");
        Assert.False(Platform.Build([]).Edge.Resources.ContainsKey("PrimaryUnhealthy"));
        Assert.True(Stack.Deploy(Template.Read("infra/edge.template"), "edge", here, ("OriginVerifyVersion", "01234567-89ab-cdef-0123-456789abcdef"))
            .Resources.ContainsKey("PrimaryUnhealthy"));
        Assert.False(Stack.Deploy(Template.Read("serverless.template"), "control-plane", here).Resources.ContainsKey("PrimaryUnhealthy"));
    }

    [Fact]
    public void A_private_domain_is_handed_out_when_its_record_leads_to_the_endpoint()
    {
        var platform = Platform.Build([]);
        var application = Stack.Deploy(Template.Read("serverless.template"), "control-plane", platform.Here,
            ("PrivateApiDomain", "dp.example.com"), ("PrivateApiCertificateArn", "arn:aws:acm:us-east-1:111111111111:certificate/dp"));

        var record = application.OfType("AWS::Route53::RecordSet").Single(one => (string?)one.Properties["Name"] == "dp.example.com");
        Assert.Equal(platform.Hub.Properties("PublishedHostedZone")["Value"]!.ToString(), (string?)record.Properties["HostedZoneId"]);
        Assert.Equal($"{platform.Hub.IdOf("PrivateApiInterface")}.example", (string?)record.Properties["AliasTarget"]!["DNSName"]);
        Assert.Equal(["PrivateDomainMapping", "PrivateDomainAccess"], application.Resources[record.Id]["DependsOn"].Texts());

        Assert.Equal("https://dp.example.com", application.Outputs["PrivateApiUrl"]);
        const string Outcomes = "ExecutionRequestsFunction/Properties/Environment/Variables/OUTCOMES_URL";
        Assert.Equal(
            "https://dp.example.com/outcomes/execution",
            (string?)application.Resources[Outcomes[..Outcomes.IndexOf('/')]].At(Outcomes[(Outcomes.IndexOf('/') + 1)..]));
        // Both name the record, so neither is there before it is.
        Assert.All(new[] { "Outputs/PrivateApiUrl", $"Resources/{Outcomes}" }, handedOut =>
            Assert.Contains($"${{{record.Id}}}", Template.Read("serverless.template").Root.At(handedOut).ToJsonString(), StringComparison.Ordinal));
    }
}
