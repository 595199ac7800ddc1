using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ControlPlane.Executions;
using ControlPlane.Local.SmallSlack;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>What Slack does with a late answer.</summary>
internal enum Mood { Fine, InTrouble, Busy, AnswerLost }

/// <param name="IsSure">Whether the sender can know that Slack took it.</param>
internal sealed partial record Post(string Path, JsonNode Message, bool IsSure)
{
    /// <summary>How the workflow ended, as the headline says.</summary>
    public ExecutionState State => Headline().Match(Message["text"]!.GetValue<string>()) switch
    {
        { Value: "* succeeded" } => ExecutionState.Succeeded,
        { Value: "* failed" } => ExecutionState.Failed,
        { Value: "* was cancelled" } => ExecutionState.Cancelled,
        { Value: "* timed out" } => ExecutionState.TimedOut,
        { Value: "* was not started" } => ExecutionState.Denied,
        _ => throw new InvalidOperationException($"No end is told in {Message.ToJsonString()}."),
    };

    [GeneratedRegex(@"\* (succeeded|failed|was cancelled|timed out|was not started)")]
    private static partial Regex Headline();
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
