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
    public void The_scaling_page_is_up_to_date() => Assert.Equal(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "docs", "scaling.md")), Pages.Scaling(Given));

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

        var alarms = Count("AWS::CloudWatch::Alarm");
        Assert.True(Given.Estate.Alarms == alarms, $"The templates have {alarms} alarms, bench/Capacity/estate.json says {Given.Estate.Alarms}: mend it and run `dotnet run --project bench/Capacity`.");
        Assert.Equal(Given.Estate.InterfaceEndpoints, platform.Hub.OfType("AWS::EC2::VPCEndpoint").Count(one => (string?)one.Properties["VpcEndpointType"] == "Interface"));
        Assert.Equal(Given.Estate.NatInstances, platform.Hub.OfType("AWS::EC2::Instance").Count());
        Assert.Equal(Given.Estate.Secrets, Count("AWS::SecretsManager::Secret"));
        Assert.Equal(Given.Estate.HealthChecks, Count("AWS::Route53::HealthCheck"));
        Assert.Equal(Given.Estate.Keys, Count("AWS::KMS::Key"));
        Assert.Equal(Given.Estate.WafRules, platform.Edge.Properties("Firewall")["Rules"]!.AsArray().Count);
        Assert.Contains($"alone are {platform.Application.OfType("AWS::Serverless::Function").Sum(one => (int)one.Properties["ReservedConcurrentExecutions"]!)}",
            Given.Quotas.All.Single(quota => quota.Name.Contains("Lambda", StringComparison.Ordinal)).Then, StringComparison.Ordinal);
    }

    [Fact]
    public void Twice_the_traffic_doubles_what_grows_and_nothing_else()
    {
        var (once, twice) = (Bill.Of(Given), Bill.Of(Given, 2));

        Assert.Equal(once.Where(line => line.Grows).Sum(line => line.Dollars) * 2, twice.Where(line => line.Grows).Sum(line => line.Dollars), precision: 6);
        Assert.Equal(once.Where(line => !line.Grows).Sum(line => line.Dollars), twice.Where(line => !line.Grows).Sum(line => line.Dollars), precision: 6);
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
        var dearer = Given with { Prices = Given.Prices with { Dollars = Given.Prices.Dollars.ToDictionary(one => one.Key, one => one.Value with { Dollars = one.Value.Dollars * 2 }) } };

        Assert.NotEqual(Pages.Cost(Given), Pages.Cost(dearer));
        Assert.NotEqual(Pages.Scaling(Given), Pages.Scaling(Given with { Quotas = Given.Quotas with { All = [.. Given.Quotas.All.Select(quota => quota with { Default = quota.Default / 2 })] } }));
    }
}
