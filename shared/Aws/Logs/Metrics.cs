using System.Buffers;
using System.Text.Json;

namespace ControlPlane.Aws.Logs;

/// <summary>CloudWatch metrics in the embedded metric format: one JSON line each, next to the log.</summary>
/// <remarks>https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.</remarks>
public sealed class Metrics(JsonLog log, TimeProvider clock)
{
    public const string Namespace = "ControlPlane";

    /// <param name="properties">What helps to find the event in the log; not a dimension.</param>
    public void Write(Metric.Plain metric, double amount, params ReadOnlySpan<(string Name, string Value)> properties) =>
        Write(null, [(metric, amount)], properties);

    /// <summary>Counts one event.</summary>
    public void Count(Metric.Plain metric, params ReadOnlySpan<(string Name, string Value)> properties) => Write(metric, 1, properties);

    /// <param name="value">Of the metric's dimension.</param>
    public void Write(Metric.Split metric, string value, double amount, params ReadOnlySpan<(string Name, string Value)> properties) =>
        Write(value, [(metric, amount)], properties);

    /// <summary>Counts one event.</summary>
    public void Count(Metric.Split metric, string value, params ReadOnlySpan<(string Name, string Value)> properties) => Write(metric, value, 1, properties);

    /// <summary>Counts one event that took some time.</summary>
    /// <param name="value">Of the dimension that both metrics have.</param>
    public void CountTimed(Metric.Split metric, Metric.Split time, string value, double took, params ReadOnlySpan<(string Name, string Value)> properties) =>
        Write(value, [(metric, 1), (time, took)], properties);

    // The first metric's dimension is that of all.
    private void Write(string? value, ReadOnlySpan<(Metric Metric, double Amount)> amounts, ReadOnlySpan<(string Name, string Value)> properties)
    {
        var dimension = amounts[0].Metric.Dimension?.ToString();
        var line = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteStartObject("_aws");
            json.WriteNumber("Timestamp", clock.GetUtcNow().ToUnixTimeMilliseconds());
            json.WriteStartArray("CloudWatchMetrics");
            json.WriteStartObject();
            json.WriteString("Namespace", Namespace);
            json.WriteStartArray("Dimensions");
            json.WriteStartArray();
            if (dimension is not null)
                json.WriteStringValue(dimension);
            json.WriteEndArray();
            json.WriteEndArray();
            json.WriteStartArray("Metrics");
            foreach (var (metric, _) in amounts)
            {
                json.WriteStartObject();
                json.WriteString("Name", metric.Name);
                json.WriteString("Unit", metric.Unit.ToString());
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            foreach (var (metric, amount) in amounts)
                json.WriteNumber(metric.Name, amount);
            if (dimension is not null)
                json.WriteString(dimension, value);
            foreach (var (name, text) in properties)
                json.WriteString(name, text);
            json.WriteEndObject();
        }
        log.WriteLine(line);
    }
}
