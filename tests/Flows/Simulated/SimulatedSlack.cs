using System.Net;
using System.Text.Json.Nodes;
using ControlPlane.Executions;
using ControlPlane.Local.Peering;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>What Slack does with a late answer.</summary>
internal enum Mood { Fine, InTrouble, Busy, AnswerLost }

/// <param name="IsSure">Whether the sender can know that Slack took it.</param>
internal sealed record Post(string Path, JsonNode Message, bool IsSure)
{
    /// <summary>The state that the small print names.</summary>
    public ExecutionState State => ExecutionStates.All.Single(state => Message.ToJsonString().Contains($" {state.Name}", StringComparison.Ordinal));
}

/// <summary>Slack at the other end of a <c>response_url</c>.</summary>
internal sealed class SimulatedSlack(Func<Mood> mood) : HttpMessageHandler
{
    public List<Post> Taken { get; } = [];

    /// <summary>What broke Slack's limits. Refused as Slack refuses it, and no test means to.</summary>
    public List<string> Misshapen { get; } = [];

    /// <summary>A defect to plant: everything is thanked for and nothing shown.</summary>
    public bool ShowsNothing { get; init; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var how = mood();
        if (how == Mood.InTrouble)
            return new(HttpStatusCode.InternalServerError);
        if (how == Mood.Busy)
            return new(HttpStatusCode.TooManyRequests) { Headers = { { "Retry-After", "3" } } };

        var message = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancel))!.AsObject();
        if (SlackLimits.Fault(message) is { } fault)
        {
            Misshapen.Add(fault);
            return new(HttpStatusCode.BadRequest) { Content = new StringContent(fault[..fault.IndexOf(':', StringComparison.Ordinal)]) };
        }
        if (!ShowsNothing)
            Taken.Add(new(request.RequestUri!.AbsolutePath, message, how == Mood.Fine));
        return how == Mood.Fine ? new(HttpStatusCode.OK) : throw new HttpRequestException("The connection was reset.");
    }
}
