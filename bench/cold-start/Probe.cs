using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Local.Runtime;

namespace ControlPlane.ColdStart;

/// <summary>A function and the events it is measured with: its everyday work, as far as it can be repeated.</summary>
/// <param name="Function">Logical id.</param>
/// <param name="Events">A fresh event at each call.</param>
/// <param name="IsGood">Whether an answer shows that the work was done.</param>
internal sealed record Probe(string Function, Func<JsonObject> Events, Func<JsonNode?, bool> IsGood)
{
    /// <summary>What is measured, where a function is measured at several things.</summary>
    public string? What { get; init; }

    /// <summary>How often a process may be asked after its first event, where somebody takes only so many in a minute.</summary>
    public int Most { get; init; } = int.MaxValue;

    public string Name => What is null ? Function : $"{Function}: {What}";

    public async Task InvokeAsync(FunctionHost host)
    {
        var payload = Encoding.UTF8.GetBytes(Events().ToJsonString());
        switch (await host.InvokeAsync(payload))
        {
            case InvocationResult.Answered answered when IsGood(answered.Payload.Length == 0 ? null : JsonNode.Parse(answered.Payload)): return;
            case InvocationResult.Answered answered: throw new InvalidOperationException($"{Name} answered {Encoding.UTF8.GetString(answered.Payload)}");
            case InvocationResult.Failed failed: throw new InvalidOperationException($"{Name} failed: {failed.ErrorType}: {failed.Message}");
            case InvocationResult.Lost lost: throw new InvalidOperationException(lost.Why);
        }
    }
}
