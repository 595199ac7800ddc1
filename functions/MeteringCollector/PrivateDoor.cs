using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Aws;
using ControlPlane.Http;

namespace ControlPlane.MeteringCollector;

/// <summary>What an endpoint of the private API says.</summary>
internal abstract record PrivateAnswer
{
    private PrivateAnswer() { }

    public sealed record Receipt(int Status, string Json) : PrivateAnswer;

    public sealed record Refused(Problem Problem) : PrivateAnswer;
}

/// <summary>The frame of every endpoint of the private API: only JSON of its size comes in, an answer goes out in time, and what fails is ours.</summary>
internal sealed class PrivateDoor(Uri controlPlaneUrl, TimeProvider clock)
{
    private static readonly TimeSpan KeptBack = TimeSpan.FromMilliseconds(500);

    /// <param name="largestBody">In bytes.</param>
    /// <param name="answer">What came in, and how long there is.</param>
    /// <param name="turnedAway">Called for what never gets as far as <paramref name="answer"/>.</param>
    /// <param name="failed">Called for what <paramref name="answer"/> threw: whoever asked is told to ask again.</param>
    public async Task<APIGatewayProxyResponse> AnswerAsync(
        APIGatewayProxyRequest? http, ILambdaContext context, int largestBody, Func<RawRequest, CancellationToken, Task<PrivateAnswer>> answer,
        Action<Problem> turnedAway, Action<Exception> failed)
    {
        try
        {
            if (FaultOf(http, largestBody, out var request) is { } fault)
            {
                turnedAway(fault);
                return Say(fault);
            }
            using var deadline = Deadline.Of(context, KeptBack, clock);
            return await answer(request!, deadline.Token) switch
            {
                PrivateAnswer.Receipt receipt => new()
                {
                    StatusCode = receipt.Status,
                    Headers = new Dictionary<string, string> { ["Content-Type"] = "application/json", ["Cache-Control"] = "no-store" },
                    Body = receipt.Json,
                },
                PrivateAnswer.Refused refused => Say(refused.Problem),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }
        catch (Exception e)
        {
            failed(e);
            return Say(Problem.Unavailable);
        }

        APIGatewayProxyResponse Say(Problem problem) => problem.ToRest(controlPlaneUrl, ApiGateway.RequestIdOf(http, context));
    }

    // Measured before it is decoded, and again after.
    private static Problem? FaultOf(APIGatewayProxyRequest? http, int largestBody, out RawRequest? request)
    {
        request = null;
        if (http.IsLargerThan(largestBody))
            return Problem.TooLarge;
        request = RawRequest.From(http);
        if (request is null)
            return Problem.Malformed;
        if (request.Body.Length > largestBody)
            return Problem.TooLarge;
        var isPlain = !request.HasHeader("content-encoding") || (request.TryHeader("content-encoding", out var encoding) && encoding == "identity");
        return isPlain && request.IsContentType("application/json") ? null : Problem.UnsupportedMediaType;
    }
}
