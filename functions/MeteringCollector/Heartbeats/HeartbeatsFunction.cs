using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.Text;

namespace ControlPlane.MeteringCollector.Heartbeats;

/// <summary>A sidecar's report in, a receipt or a problem out.</summary>
internal sealed class HeartbeatsFunction(RecordHeartbeat recordHeartbeat, Uri controlPlaneUrl, MeteringEvents events, TimeProvider clock)
{
    private static readonly TimeSpan KeptBack = TimeSpan.FromMilliseconds(500);

    private const int NextIntervalSeconds = 60;

    [LambdaFunction(ResourceName = "HeartbeatsFunction")]
    [RestApi(LambdaHttpMethod.Post, "/metering/heartbeat")]
    public async Task<APIGatewayProxyResponse> AnswerAsync(APIGatewayProxyRequest http, ILambdaContext context)
    {
        try
        {
            using var deadline = Deadline.Of(context, KeptBack, clock);
            HeartbeatAnswer answer = http.IsLargerThan(RecordHeartbeat.LargestBody) ? new HeartbeatAnswer.Refused(Problem.TooLarge)
                : RawRequest.From(http) is { } request ? await recordHeartbeat.RunAsync(request, deadline.Token)
                : new HeartbeatAnswer.Refused(Problem.Malformed);
            Report(answer);
            return answer switch
            {
                HeartbeatAnswer.Accepted accepted => Reply.Json(JsonSerializer.Serialize(ReceiptOf(accepted), HeartbeatJson.Default.HeartbeatReceipt)),
                HeartbeatAnswer.Refused refused => refused.Problem.ToRest(controlPlaneUrl, ApiGateway.RequestIdOf(http, context)),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }
        catch (Exception e)
        {
            // Whatever it was, it was ours: the sidecar keeps the sample and sends it again.
            events.HeartbeatFailed(e);
            return Problem.Unavailable.ToRest(controlPlaneUrl, ApiGateway.RequestIdOf(http, context));
        }
    }

    private HeartbeatReceipt ReceiptOf(HeartbeatAnswer.Accepted accepted) => new(
        "accepted",
        accepted.IsRepeat,
        accepted.Heartbeat.Epoch,
        accepted.Heartbeat.Counter,
        accepted.Gap,
        accepted.IsRestart ? true : null,
        Rfc3339.Format(clock.GetUtcNow()),
        NextIntervalSeconds,
        accepted.IsSuspended ? ["suspended"] : []);

    private void Report(HeartbeatAnswer answer)
    {
        switch (answer)
        {
            case HeartbeatAnswer.Accepted accepted:
                events.HeartbeatAccepted(accepted.Heartbeat, accepted.IsRepeat, accepted.Gap, accepted.SkewSeconds);
                if (accepted.RestartsTooOften)
                    events.RestartsTooOften(accepted.Heartbeat);
                break;
            case HeartbeatAnswer.Refused refused:
                events.HeartbeatRefused(refused.Problem, refused.Signer?.Registration, refused.Instance);
                break;
        }
    }
}
