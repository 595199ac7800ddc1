using System.Globalization;
using System.Text.Json;
using Amazon.SQS.Model;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Administration.DeadLetters;

/// <summary>A message that was given up. Of its body only the ids are ever shown.</summary>
public sealed record DeadLetter(Message Message)
{
    public string Id => Message.MessageId;

    public DateTimeOffset SentAt => DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(Attribute("SentTimestamp") ?? "0", CultureInfo.InvariantCulture));

    public int Receives => int.Parse(Attribute("ApproximateReceiveCount") ?? "0", CultureInfo.InvariantCulture);

    /// <summary>FIFO queues: what stays in order. Standard queues: whose turn it is.</summary>
    public string? Group => Attribute("MessageGroupId");

    /// <summary>Null when the message names none that we can read.</summary>
    public string? Execution => ExecutionId.TryParse(Member("execution_id"), out var id) ? id.ToString() : null;

    /// <summary>Null when the message names none that we can read.</summary>
    public string? Tenant => TenantId.TryParse(Member("tenant_id"), out var id) ? id.ToString() : null;

    /// <summary>In the order they were sent.</summary>
    public static readonly IComparer<DeadLetter> BySending = Comparer<DeadLetter>.Create((one, other) =>
        (one.SentAt, one.Sequence).CompareTo((other.SentAt, other.Sequence)));

    // FIFO queues number their messages, with up to 128 bits.
    private UInt128 Sequence => UInt128.TryParse(Attribute("SequenceNumber"), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private string? Attribute(string name) => Message.Attributes is { } attributes && attributes.TryGetValue(name, out var value) ? value : null;

    private string? Member(string name)
    {
        try
        {
            using var body = JsonDocument.Parse(Message.Body);
            return body.RootElement.ValueKind == JsonValueKind.Object
                && body.RootElement.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String
                ? member.GetString()
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
