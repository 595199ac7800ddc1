using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Conventions;

/// <summary>The runbook knows everything that can wake somebody up.</summary>
public sealed class RunbookTests
{
    private static readonly string Root = RepositoryRoot.Find();
    private static readonly string Runbook = File.ReadAllText(Path.Combine(Root, "docs", "operations.md"));

    [Fact]
    public void Every_alarm_is_in_the_runbook()
    {
        var alarms = Directory.GetFiles(Path.Combine(Root, "infra"), "*.template").Append(Path.Combine(Root, "serverless.template")).SelectMany(AlarmsOf)
            .ToList();
        Assert.True(alarms.Count > 40, $"only {alarms.Count} alarms were found");
        Assert.All(alarms, alarm => Assert.Contains($"`{alarm}`", Runbook, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_alarm_of_the_runbook_is_in_a_template()
    {
        var alarms = Directory.GetFiles(Path.Combine(Root, "infra"), "*.template").Append(Path.Combine(Root, "serverless.template")).SelectMany(AlarmsOf)
            .ToHashSet();
        var table = Runbook[Runbook.IndexOf("## Alarms", StringComparison.Ordinal)..Runbook.IndexOf("## Disaster recovery", StringComparison.Ordinal)];
        var named = table.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => line.Split('|')[1].Split('`', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        Assert.All(named, name => Assert.Contains(name, alarms));
    }

    [Fact]
    public void Every_failure_code_is_in_the_runbook() =>
        Assert.All(DispatchFailures.All, failure => Assert.Contains($"`{failure.Code}`", Runbook, StringComparison.Ordinal));

    private static IEnumerable<string> AlarmsOf(string file)
    {
        using var template = JsonDocument.Parse(File.ReadAllText(file));
        return [.. template.RootElement.GetProperty("Resources").EnumerateObject()
            .Where(resource => resource.Value.GetProperty("Type").GetString() == "AWS::CloudWatch::Alarm").Select(resource => resource.Name)];
    }
}
