using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Aws;
using ControlPlane.Http;

namespace ControlPlane.SlackHandler.Events;

/// <summary>What Slack tells of its own accord: HTTP in, HTTP out. What comes of it is decided in <see cref="AnswerEvent"/>.</summary>
internal sealed class SlackEventsFunction(AnswerEvent answerEvent, SlackHandlerEvents events, TimeProvider clock)
{
    // Base64 of the largest body: nothing longer is even decoded.
    private const int LongestBodyText = (AnswerEvent.LargestBody + 2) / 3 * 4;

    /// <summary>Slack gives up after three seconds; the answer needs some of them to get back.</summary>
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(2.5);

    private static readonly TimeSpan KeptBack = TimeSpan.FromMilliseconds(300);

    [LambdaFunction(ResourceName = "SlackEventsFunction"), HttpApi(LambdaHttpMethod.Post, "/slack/events")]
    public async Task<APIGatewayHttpApiV2ProxyResponse> AnswerAsync(APIGatewayHttpApiV2ProxyRequest? http, ILambdaContext context)
    {
        if (http?.RequestContext?.Http is null)
        {
            events.Foreign();
            return Answer(400);
        }
        if (http.Body?.Length > LongestBodyText)
            return Answer(413);
        if (RawRequest.From(http) is not { } request)
            return Answer(400);

        using var deadline = Deadline.Of(context, KeptBack, AtMost, clock);
        try
        {
            return await answerEvent.RunAsync(request, deadline.Token) switch
            {
                EventAnswer.Taken => Answer(200),
                EventAnswer.Challenged { Challenge: var challenge } =>
                    Answer(200, JsonSerializer.Serialize(new(challenge), SlackJson.Default.ChallengeAnswer)),
                EventAnswer.Forged => Answer(401),
                EventAnswer.NotFromOrigin => Answer(403),
                EventAnswer.TooLarge => Answer(413),
                EventAnswer.NotJson => Answer(415),
                EventAnswer.Malformed => Answer(400),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }
        catch (Exception e)
        {
            // Slack says it again.
            events.EventFailed(request.RequestId, e);
            return Answer(500);
        }
    }

    private static APIGatewayHttpApiV2ProxyResponse Answer(int status, string json = "")
    {
        var headers = new Dictionary<string, string> { ["Cache-Control"] = "no-store" };
        if (json.Length > 0)
            headers["Content-Type"] = "application/json; charset=utf-8";
        return new() { StatusCode = status, Headers = headers, Body = json };
    }
}
