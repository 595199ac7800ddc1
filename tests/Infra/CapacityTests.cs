using ControlPlane.Capacity;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Infra;

/// <summary>docs/cost.md and docs/scaling.md are what bench/Capacity computes, and its inputs are what the templates build.</summary>
public sealed class CapacityTests
{
    private static readonly Inputs Given = Inputs.Read(Path.Combine(RepositoryRoot.Find(), "bench", "Capacity"));

    [Fact]
    public void The_cost_page_is_up_to_date() => Assert.Equal(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "cost.md")), Pages.Cost(Given));

    [Fact]
    public void The_scaling_page_is_up_to_date() =>
        Assert.Equal(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "scaling.md")), Pages.Scaling(Given));

    [Fact]
    public void The_traffic_is_what_the_pages_are_computed_from()
    {
        Assert.Equal(10_000_000, Given.Traffic.Monthly["command"] + Given.Traffic.Monthly["run"]);
        Assert.Equal((100_000, 100_000, 4_300_000), (Given.Traffic.Monthly["dispatch"], Given.Traffic.Monthly["outcome"], Given.Traffic.Monthly["heartbeat"]));
        Assert.Equal((5000, 2000, 1000), (Given.Traffic.Bytes["dispatch"], Given.Traffic.Bytes["outcome"], Given.Traffic.Bytes["heartbeat"]));
        Assert.Equal((100, 100), (Given.Traffic.Tenants, Given.Traffic.LogGigabytes));
    }

    [Fact]
    public void What_stands_there_is_counted_in_the_templates()
    {
        var platform = Platform.Build([]);
        Stack[] stacks = [platform.Hub, platform.Application, platform.Edge];
        int Count(string type) => stacks.Sum(stack => stack.OfType(type).Count());

        // An alarm on an expression is paid for by each metric in it.
        Counted("alarm_metrics", Given.Estate.AlarmMetrics, stacks.SelectMany(stack => stack.OfType("AWS::CloudWatch::Alarm")).Sum(alarm => Math.Max(1,
            alarm.Properties["Metrics"].Many().Count(one => one["MetricStat"] is not null))));
        // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html: six by route; of a REST API five by method.
        var routes = platform.Application.OfType("AWS::Serverless::Function").SelectMany(function => function.Properties["Events"]!.AsObject())
            .Select(one => (string)one.Value!["Type"]!).ToList();
        Counted("api_metrics", Given.Estate.ApiMetrics, routes.Count(type => type == "HttpApi") * 6 + routes.Count(type => type == "Api") * 5);
        Counted("dashboards", Given.Estate.Dashboards, Count("AWS::CloudWatch::Dashboard"));
        Assert.Equal(
            Given.Estate.InterfaceEndpoints,
            platform.Hub.OfType("AWS::EC2::VPCEndpoint").Count(one => (string?)one.Properties["VpcEndpointType"] == "Interface"));
        Assert.Equal(Given.Estate.NatInstances, platform.Hub.OfType("AWS::AutoScaling::AutoScalingGroup").Count());
        Assert.Equal(Given.Estate.Secrets, Count("AWS::SecretsManager::Secret"));
        Assert.Equal(Given.Estate.HealthChecks, Count("AWS::Route53::HealthCheck"));
        Assert.Equal(Given.Estate.Keys, Count("AWS::KMS::Key"));
        Assert.Equal(Given.Estate.WafLists, Count("AWS::WAFv2::WebACL"));
        Counted(
            "waf_rules", Given.Estate.WafRules, stacks.SelectMany(stack => stack.OfType("AWS::WAFv2::WebACL")).Sum(list => list.Properties["Rules"]!.AsArray().Count));
        Assert.Contains($"alone are {platform.Application.OfType("AWS::Serverless::Function").Sum(one => (int)one.Properties["ReservedConcurrentExecutions"]!)}",
            Given.Quotas.All.Single(quota => quota.Name.Contains("Lambda", StringComparison.Ordinal)).Then, StringComparison.Ordinal);

        static void Counted(string name, int written, int counted) =>
            Assert.True(
                written == counted,
                $"The templates have {counted}, bench/Capacity/estate.json says {written} {name}: mend it and run `dotnet run --project bench/Capacity`.");
    }

    [Fact]
    public void What_the_panel_adds_is_counted_in_the_templates()
    {
        var (without, with) = (Platform.Build([]), Platform.WithPanel());
        int Added(Func<Stack, int> count) => count(with.Hub) + count(with.Application) - count(without.Hub) - count(without.Application);
        var panel = Given.Estate.Panel;

        Assert.Equal(panel.AlarmMetrics, Added(stack => stack.OfType("AWS::CloudWatch::Alarm").Count()));
        Assert.Equal(panel.WafLists, Added(stack => stack.OfType("AWS::WAFv2::WebACL").Count()));
        Assert.Equal(panel.WafRules, Added(stack => stack.OfType("AWS::WAFv2::WebACL").Sum(list => list.Properties["Rules"]!.AsArray().Count)));
        Assert.Equal(panel.Balancers, Added(stack => stack.OfType("AWS::ElasticLoadBalancingV2::LoadBalancer").Count()));
        Assert.Equal(0, Added(stack => stack.OfType("AWS::CloudWatch::Dashboard", "AWS::SecretsManager::Secret", "AWS::KMS::Key").Count()));
    }

    [Theory]
    [InlineData("requests of one address", "infra/edge.template", "Parameters/RequestsPerAddress/Default")]
    [InlineData("requests of the public API", "serverless.template", "Resources/PublicApi/Properties/DefaultRouteSettings/ThrottlingRateLimit")]
    [InlineData("requests of the private API", "serverless.template", "Resources/PrivateApi/Properties/MethodSettings/0/ThrottlingRateLimit")]
    [InlineData("commands at once", "serverless.template", "Resources/SlackCommandsFunction/Properties/ReservedConcurrentExecutions")]
    [InlineData("heartbeats at once", "serverless.template", "Resources/HeartbeatsFunction/Properties/ReservedConcurrentExecutions")]
    public void The_hubs_own_brakes_are_those_of_the_templates(string name, string template, string path) =>
        Assert.Equal(
            (double)Template.Read(template).Root.At(path),
            Given.Quotas.All.Single(quota => quota.Name.StartsWith($"The hub's own: {name}", StringComparison.Ordinal)).Default);

    [Fact]
    public void Traces_are_one_a_second_and_five_in_a_hundred_of_the_rest()
    {
        Assert.Equal(3600, Bill.Traces(3600, hours: 1));
        Assert.Equal(3600 + 180, Bill.Traces(7200, hours: 1));
        Assert.Equal(10, Bill.Traces(10, hours: 1));
    }

    [Fact]
    public void What_a_smaller_bill_leaves_out_is_in_the_bill()
    {
        Assert.All(Bill.Savings(Given), saving => Assert.True(saving.Dollars > 0, saving.Name));
        Assert.True(Bill.Savings(Given).Sum(saving => saving.Dollars) < Bill.Of(Given).Sum(line => line.Dollars));
    }

    [Fact]
    public void Twice_the_traffic_doubles_what_grows_and_nothing_else()
    {
        var (once, twice) = (Lines(1), Lines(2));

        Assert.Equal(once.Where(line => line.Grows).Sum(line => line.Dollars) * 2, twice.Where(line => line.Grows).Sum(line => line.Dollars), precision: 6);
        Assert.Equal(once.Where(line => !line.Grows).Sum(line => line.Dollars), twice.Where(line => !line.Grows).Sum(line => line.Dollars), precision: 6);

        static List<BillLine> Lines(double scale) => [.. Bill.Of(Given, scale).Where(line => line.Name != Bill.XRay)];
    }

    [Theory]
    [InlineData("Active peerings of one VPC", 50, 125)]
    [InlineData("Address plan 10.100 to 10.255", 156, 156)]
    public void A_quota_by_the_tenant_stops_a_hub_where_it_says(string name, int first, int last)
    {
        var quota = Given.Quotas.All.Single(one => one.Name == name);

        Assert.Equal((first, last), (Reach.Tenants(Given, quota, quota.Default), Reach.Tenants(Given, quota, quota.Most)));
    }

    [Fact]
    public void A_changed_input_changes_the_page()
    {
        var dearer =
            Given with
            {
                Prices = Given.Prices with
                {
                    Dollars = Given.Prices.Dollars.ToDictionary(one => one.Key,
                one => one.Value with { Dollars = one.Value.Dollars * 2 })
                }
            };

        Assert.NotEqual(Pages.Cost(Given), Pages.Cost(dearer));
        Assert.NotEqual(Pages.Scaling(Given),
            Pages.Scaling(
                Given with { Quotas = Given.Quotas with { All = [.. Given.Quotas.All.Select(quota => quota with { Default = quota.Default / 2 })] } }));
    }
}
