using System.Globalization;
using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Messages;

namespace ControlPlane.SlackHandler.Interactions;

/// <summary>The public API: HTTP in, HTTP out. What is answered is decided in <see cref="AnswerCommand"/>, <see cref="AnswerInteraction"/> and
/// <see cref="CheckHealth"/>.</summary>
/// <remarks>Commands and buttons are one function: they may do the same, and the one keeps the other warm.</remarks>
internal sealed class SlackCommandsFunction(
    AnswerCommand answerCommand, AnswerInteraction answerInteraction, CheckHealth checkHealth, SlackHandlerEvents events, TimeProvider clock)
{
    private const string Resource = "SlackCommandsFunction";

    // Base64 of the largest body: nothing longer is even decoded.
    private const int LongestBodyText = (AnswerCommand.LargestBody + 2) / 3 * 4;
    private const int LongestInteractionText = (AnswerInteraction.LargestBody + 2) / 3 * 4;

    /// <summary>Slack gives up after three seconds; the answer needs some of them to get back.</summary>
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(2.5);

    private static readonly TimeSpan AtLeast = TimeSpan.FromSeconds(0.5);

    private static readonly TimeSpan KeptBack = TimeSpan.FromMilliseconds(300);

    public Task<APIGatewayHttpApiV2ProxyResponse> RouteAsync(APIGatewayHttpApiV2ProxyRequest? http, ILambdaContext context) =>
        (http?.RequestContext?.Http?.Method, http?.RawPath) switch
        {
            (null, _) => Foreign(),
            ("POST", "/slack/commands") => AnswerAsync(http!, context),
            ("GET", "/slack/commands") => SslCheckAsync(http!, context),
            ("POST", "/slack/interactions") => InteractAsync(http!, context),
            ("GET", "/health") => HealthAsync(http!, context),
            (_, "/slack/commands") => Task.FromResult(Empty(405, allow: "POST, GET")),
            (_, "/slack/interactions") => Task.FromResult(Empty(405, allow: "POST")),
            (_, "/health") => Task.FromResult(Empty(405, allow: "GET")),
            _ => Task.FromResult(Empty(404)),
        };

    [LambdaFunction(ResourceName = Resource), HttpApi(LambdaHttpMethod.Post, "/slack/commands")]
    public Task<APIGatewayHttpApiV2ProxyResponse> AnswerAsync(APIGatewayHttpApiV2ProxyRequest http, ILambdaContext context) =>
        AnswerAsync(http, context, LongestBodyText, answerCommand.RunAsync);

    [LambdaFunction(ResourceName = Resource), HttpApi(LambdaHttpMethod.Post, "/slack/interactions")]
    public Task<APIGatewayHttpApiV2ProxyResponse> InteractAsync(APIGatewayHttpApiV2ProxyRequest http, ILambdaContext context) =>
        AnswerAsync(http, context, LongestInteractionText, answerInteraction.RunAsync);

    private async Task<APIGatewayHttpApiV2ProxyResponse> AnswerAsync(
        APIGatewayHttpApiV2ProxyRequest http, ILambdaContext context, int longestBody, Func<RawRequest, CancellationToken, Task<SlackAnswer>> answer)
    {
        if (http.Body?.Length > longestBody)
            return Empty(413);
        if (RawRequest.From(http) is not { } request)
            return Empty(400);

        using var deadline = Deadline.Of(context, KeptBack, TimeLeft(http), clock);
        try
        {
            return await answer(request, deadline.Token) switch
            {
                SlackAnswer.Said { Message: var message } => Json(200, JsonSerializer.Serialize(message, SlackJson.Default.SlackMessage)),
                SlackAnswer.FieldFaults { ByBlock: var faults } => Json(200, JsonSerializer.Serialize(ModalAnswer.Of(faults), SlackJson.Default.ModalAnswer)),
                SlackAnswer.Quiet => Empty(200),
                SlackAnswer.Unreadable => Empty(400),
                SlackAnswer.TurnedAway { Entry: var entry } => Empty(StatusOf(entry)),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }
        catch (Exception e)
        {
            // The secret cannot be read: nothing is verified, so nothing is done.
            events.NotVerified(request.RequestId, e);
            return Empty(500);
        }
    }

    private Task<APIGatewayHttpApiV2ProxyResponse> Foreign()
    {
        events.Foreign();
        return Task.FromResult(Empty(400));
    }

    private static int StatusOf(Entry entry) => entry switch
    {
        Entry.SslCheck => 200,
        Entry.Forged => 401,
        Entry.NotFromOrigin => 403,
        Entry.TooLarge => 413,
        Entry.NotAForm => 415,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Slack looks at the certificate.</summary>
    [LambdaFunction(ResourceName = Resource), HttpApi(LambdaHttpMethod.Get, "/slack/commands")]
    public async Task<APIGatewayHttpApiV2ProxyResponse> SslCheckAsync(APIGatewayHttpApiV2ProxyRequest http, ILambdaContext context)
    {
        if (http.Body?.Length > LongestBodyText)
            return Empty(413);
        if (RawRequest.From(http) is not { } request)
            return Empty(400);
        using var deadline = Deadline.Of(context, KeptBack, AtMost, clock);
        try
        {
            return await answerCommand.IsSslCheckAsync(request, deadline.Token) switch
            {
                null => Empty(403),
                true => Empty(200),
                false => Empty(405, allow: "POST")
            };
        }
        catch (Exception e)
        {
            events.NotVerified(request.RequestId, e);
            return Empty(500);
        }
    }

    [LambdaFunction(ResourceName = Resource), HttpApi(LambdaHttpMethod.Get, "/health")]
    public async Task<APIGatewayHttpApiV2ProxyResponse> HealthAsync(APIGatewayHttpApiV2ProxyRequest http, ILambdaContext context)
    {
        using var deadline = Deadline.Of(context, KeptBack, AtMost, clock);
        var report = await checkHealth.RunAsync(deadline.Token);
        var answer = Json(report.Status == "ok" ? 200 : 503, JsonSerializer.Serialize(report, SlackJson.Default.HealthReport));
        if (answer.StatusCode == 503)
            answer.Headers!["Retry-After"] = StoreCheck.KeptFor.TotalSeconds.ToString(CultureInfo.InvariantCulture);
        return answer;
    }

    // A cold start has used up some of Slack's three seconds before this line runs: API Gateway's own time says how much.
    private TimeSpan TimeLeft(APIGatewayHttpApiV2ProxyRequest http)
    {
        var waitedMs = clock.GetUtcNow().ToUnixTimeMilliseconds() - http.RequestContext.TimeEpoch;
        if (waitedMs is < 0 or > 60_000)
            return AtMost;      // their clock and ours have nothing to do with each other
        var left = AtMost - TimeSpan.FromMilliseconds(waitedMs);
        return left > AtLeast ? left : AtLeast;
    }

    private static APIGatewayHttpApiV2ProxyResponse Json(int status, string body) => new()
    {
        StatusCode = status,
        Headers = new Dictionary<string, string> { ["Content-Type"] = "application/json; charset=utf-8", ["Cache-Control"] = "no-store" },
        Body = body,
    };

    private static APIGatewayHttpApiV2ProxyResponse Empty(int status, string? allow = null)
    {
        var headers = new Dictionary<string, string> { ["Cache-Control"] = "no-store" };
        if (allow is not null)
            headers["Allow"] = allow;
        return new() { StatusCode = status, Headers = headers, Body = "" };
    }
}
