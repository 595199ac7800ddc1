using System.Text.Json.Nodes;

namespace ControlPlane.Local.Template;

internal sealed record TemplateKey(string Attribute, string KeyType);

internal sealed record TemplateIndex(string Name, IReadOnlyList<TemplateKey> Keys, string Projection, IReadOnlyList<string> Included);

/// <param name="Attributes">The types of the attributes that keys are made of, by name: S, N or B.</param>
/// <param name="TimeToLive">The attribute by which items expire, or null.</param>
internal sealed record TemplateTable(
    string Id, IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<TemplateKey> Keys, IReadOnlyList<TemplateIndex> Indexes, string? TimeToLive);

/// <param name="Attributes">As CreateQueue takes them, without the redrive policy.</param>
internal sealed record TemplateQueue(string Id, bool Fifo, TimeSpan Visibility, IReadOnlyDictionary<string, string> Attributes, Redrive? Redrive);

internal sealed record Redrive(string DeadLetters, int MaxReceiveCount);

/// <param name="Project">The folder of its code, <c>functions/…</c>.</param>
/// <param name="Environment">As written: <see cref="TemplateValues"/> resolves it.</param>
internal sealed record TemplateFunction(
    string Id, string Project, string Handler, TimeSpan Timeout, int MemoryMegabytes, IReadOnlyDictionary<string, JsonNode?> Environment,
    IReadOnlyList<TemplateEvent> Events);

/// <summary>What starts a function.</summary>
internal abstract record TemplateEvent
{
    private TemplateEvent() { }

    public sealed record PublicRoute(string Method, string Path) : TemplateEvent;

    public sealed record PrivateRoute(string Method, string Path) : TemplateEvent;

    public sealed record Queue(string QueueId, int BatchSize, TimeSpan BatchingWindow, bool ReportsFailures) : TemplateEvent;

    public sealed record Schedule(string Expression) : TemplateEvent;

    public sealed record LoadBalancer(string TargetGroupId) : TemplateEvent;
}
