using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ControlPlane.Executions;
using ControlPlane.Local.SmallSlack;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>What Slack does with a late answer.</summary>
internal enum Mood { Fine, InTrouble, Busy, AnswerLost }

/// <param name="Path">Of a response address, or of a method of the Web API.</param>
/// <param name="IsSure">Whether the sender can know that Slack took it.</param>
internal sealed partial record Post(string Path, JsonNode Message, bool IsSure)
{
    public string Text => (string)Message["text"]!;

    /// <summary>Where the bot wrote; null where it was not the bot.</summary>
    public string? Channel => Path == "/api/chat.postMessage" ? (string?)Message["channel"] : null;

    /// <summary>Whether it asks approvers for their word.</summary>
    public bool Asks => Channel == Simulation.ApproversChannel && Text.Contains("waits for approval", StringComparison.Ordinal);

    /// <summary>How the workflow ended, as the headline says.</summary>
    public ExecutionState State => Headline().Match(Text) switch
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

/// <summary>Slack at the other end of a <c>response_url</c> and of the Web API.</summary>
/// <param name="state">What the Web API works on; null where no workspace has installed the app.</param>
internal sealed class SimulatedSlack(Func<Mood> mood, SlackState? state = null) : HttpMessageHandler
{
    private readonly SlackApi? _api = state is null ? null : new(state);

    public List<Post> Taken { get; } = [];

    /// <summary>What broke Slack's limits. Refused as Slack refuses it, and no test means to.</summary>
    public List<string> Misshapen { get; } = [];

    /// <summary>A defect to plant: what is thanked for, and not shown.</summary>
    public Func<Post, bool> Hides { get; init; } = _ => false;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var how = mood();
        if (how == Mood.InTrouble)
            return new(HttpStatusCode.InternalServerError);
        if (how == Mood.Busy)
            return new(HttpStatusCode.TooManyRequests) { Headers = { { "Retry-After", "3" } } };

        var body = await request.Content!.ReadAsByteArrayAsync(cancel);
        var post = new Post(request.RequestUri!.AbsolutePath, JsonNode.Parse(body)!, how == Mood.Fine);
        if (request.RequestUri.Host == "slack.com")
            return Call(post, request, body);
        if (SlackLimits.Fault(post.Message.AsObject()) is { } fault)
        {
            Misshapen.Add(fault);
            return new(HttpStatusCode.BadRequest) { Content = new StringContent(fault[..fault.IndexOf(':', StringComparison.Ordinal)]) };
        }
        Take(post);
        return post.IsSure ? new(HttpStatusCode.OK) : throw Lost();
    }

    private HttpResponseMessage Call(Post post, HttpRequestMessage request, byte[] body)
    {
        var (answer, pause) = _api!.Call(
            post.Path["/api/".Length..], request.Headers.Authorization?.ToString(), request.Content!.Headers.ContentType?.ToString(), body);
        if (pause is { } seconds)
            return new(HttpStatusCode.TooManyRequests) { Headers = { { "Retry-After", $"{seconds}" } } };
        if (!(bool)answer["ok"]!)
            Misshapen.Add($"{post.Path}: {answer.ToJsonString()}");
        else if (post.Channel is not null)
            Take(post);
        return post.IsSure ? new(HttpStatusCode.OK) { Content = new StringContent(answer.ToJsonString()) } : throw Lost();
    }

    private void Take(Post post)
    {
        if (!Hides(post))
            Taken.Add(post);
    }

    private static HttpRequestException Lost() => new("The connection was reset.");
}
