using System.Buffers;
using System.Text.Json;

namespace ControlPlane.Aws.Logs;

/// <summary>CloudWatch metrics in the embedded metric format: one JSON line each, next to the log.</summary>
/// <remarks>https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.
/// A dimension takes a handful of values (an outcome, a queue), never an id: each new value is a new metric on the bill. Ids go along as properties.</remarks>
public sealed class Metrics(JsonLog log, TimeProvider clock)
{
    public const string Namespace = "ControlPlane";

    public enum Unit { Count, Milliseconds, Seconds }

    public readonly record struct Value(string Name, double Amount, Unit Unit);

    /// <param name="dimension">One bounded dimension and its value, or null for none.</param>
    /// <param name="properties">What helps to find the event in the log; not a dimension.</param>
    public void Write(IReadOnlyList<Value> values, (string Name, string Value)? dimension = null, params ReadOnlySpan<(string Name, string Value)> properties)
    {
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
            if (dimension is { } declared)
                json.WriteStringValue(declared.Name);
            json.WriteEndArray();
            json.WriteEndArray();
            json.WriteStartArray("Metrics");
            foreach (var value in values)
            {
                json.WriteStartObject();
                json.WriteString("Name", value.Name);
                json.WriteString("Unit", value.Unit.ToString());
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            foreach (var value in values)
                json.WriteNumber(value.Name, value.Amount);
            if (dimension is { } given)
                json.WriteString(given.Name, given.Value);
            foreach (var (name, value) in properties)
                json.WriteString(name, value);
            json.WriteEndObject();
        }
        log.WriteLine(line);
    }

    /// <summary>Counts one event.</summary>
    public void Count(string name, (string Name, string Value)? dimension = null, params ReadOnlySpan<(string Name, string Value)> properties) =>
        Write([new(name, 1, Unit.Count)], dimension, properties);
}
