using System.Text.Json;
using ControlPlane.Aws.Logs;

namespace ControlPlane.Tests.Cloud;

/// <summary>What CloudWatch makes of a log: the lines in the embedded metric format, and nothing else.</summary>
public static class WrittenMetrics
{
    /// <summary>The series that alarms watch and this function writes.</summary>
    /// <param name="function">By its folder's name.</param>
    public static IEnumerable<MetricSeries> WatchedOf(string function) =>
        MetricCatalogue.All.Where(metric => metric.Functions.Contains(function)).SelectMany(metric => metric.Watched);

    /// <summary>The sum of what was written to a series, under just its dimension.</summary>
    public static double Sum(string log, MetricSeries series) => log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Sum(line => Amount(line, series));

    private static double Amount(string line, MetricSeries series)
    {
        using var entry = JsonDocument.Parse(line);
        var root = entry.RootElement;
        return root.TryGetProperty("_aws", out var aws) && aws.GetProperty("CloudWatchMetrics").EnumerateArray().Any(directive => Declares(directive, series))
            && (series.Dimension is null || root.GetProperty(series.Dimension).GetString() == series.Value)
                ? root.GetProperty(series.Metric).GetDouble()
                : 0;
    }

    private static bool Declares(JsonElement directive, MetricSeries series) =>
        directive.GetProperty("Namespace").GetString() == Metrics.Namespace
        && directive.GetProperty("Metrics").EnumerateArray().Any(metric => metric.GetProperty("Name").GetString() == series.Metric)
        && directive.GetProperty("Dimensions").EnumerateArray().Any(set =>
            set.EnumerateArray().Select(name => name.GetString()).SequenceEqual(series.Dimension is { } dimension ? [dimension] : Array.Empty<string?>()));
}
