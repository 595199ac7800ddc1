using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Http;
using ControlPlane.Text;

namespace ControlPlane.MeteringCollector.Heartbeats;

/// <summary>A sidecar's report in, a receipt or a problem out.</summary>
internal sealed class HeartbeatsFunction(RecordHeartbeat recordHeartbeat, Uri controlPlaneUrl, MeteringEvents events, TimeProvider clock)
{
    private const int NextIntervalSeconds = 60;

    private readonly PrivateDoor _door = new(controlPlaneUrl, clock);

    [LambdaFunction(ResourceName = "HeartbeatsFunction")]
    [RestApi(LambdaHttpMethod.Post, "/metering/heartbeat")]
    public Task<APIGatewayProxyResponse> AnswerAsync(APIGatewayProxyRequest http, ILambdaContext context) => _door.AnswerAsync(
        http, context, RecordHeartbeat.LargestBody, AnswerAsync, problem => events.HeartbeatRefused(problem, null, null), events.HeartbeatFailed);

    private async Task<PrivateAnswer> AnswerAsync(RawRequest request, CancellationToken cancel)
    {
        switch (await recordHeartbeat.RunAsync(request, cancel))
        {
            case HeartbeatAnswer.Accepted accepted:
                events.HeartbeatAccepted(accepted.Heartbeat, accepted.IsRepeat, accepted.Gap, accepted.SkewSeconds);
                if (accepted.RestartsTooOften)
                    events.RestartsTooOften(accepted.Heartbeat);
                return new PrivateAnswer.Receipt(200, JsonSerializer.Serialize(ReceiptOf(accepted), HeartbeatJson.Default.HeartbeatReceipt));
            case HeartbeatAnswer.Refused refused:
                events.HeartbeatRefused(refused.Problem, refused.Signer?.Registration, refused.Instance);
                return new PrivateAnswer.Refused(refused.Problem);
            default:
                throw new System.Diagnostics.UnreachableException();
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
}
