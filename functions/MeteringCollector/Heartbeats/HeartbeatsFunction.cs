using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Http;
using ControlPlane.Text;
using Microsoft.Extensions.Logging;

namespace ControlPlane.MeteringCollector.Heartbeats;

/// <summary>A sidecar's report in, a receipt or a problem out.</summary>
internal sealed class HeartbeatsFunction(RecordHeartbeat recordHeartbeat, Uri controlPlaneUrl, Metrics metrics, ILogger log, TimeProvider clock)
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
            HeartbeatAnswer answer = RawRequest.From(http) is { } request
                ? await recordHeartbeat.RunAsync(request, deadline.Token)
                : new HeartbeatAnswer.Refused(Problem.Malformed);
            Report(answer);
            return answer switch
            {
                HeartbeatAnswer.Accepted accepted => Reply.Json(JsonSerializer.Serialize(ReceiptOf(accepted), HeartbeatJson.Default.HeartbeatReceipt)),
                HeartbeatAnswer.Refused refused => refused.Problem.ToRest(controlPlaneUrl, http.RequestContext.RequestId),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }
        catch (Exception e)
        {
            // Whatever it was, it was ours: the sidecar keeps the sample and sends it again.
            log.HeartbeatFailed(e);
            metrics.Count("Heartbeats", ("Outcome", "unavailable"));
            return Problem.Unavailable.ToRest(controlPlaneUrl, http.RequestContext.RequestId);
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
                var heartbeat = accepted.Heartbeat;
                log.HeartbeatAccepted(heartbeat.Tenant, heartbeat.Instance, heartbeat.Epoch, heartbeat.Counter, accepted.IsRepeat, accepted.Gap);
                metrics.Count("Heartbeats", ("Outcome", accepted.IsRepeat ? "duplicate" : "accepted"));
                metrics.Write([new("HeartbeatSkew", accepted.SkewSeconds, Metrics.Unit.Seconds)]);
                if (accepted.Gap > 0)
                    metrics.Write([new("HeartbeatGap", accepted.Gap, Metrics.Unit.Count)]);
                if (accepted.RestartsTooOften)
                {
                    log.RestartsTooOften(heartbeat.Tenant, heartbeat.Instance);
                    metrics.Count("InstanceRestartsTooOften", properties: [("tenant_id", heartbeat.Tenant.ToString()), ("instance", heartbeat.Instance.ToString())]);
                }
                break;
            case HeartbeatAnswer.Refused refused:
                log.HeartbeatRefused(refused.Problem.Code, refused.Signer?.Registration.Tenant.ToString(), refused.Signer?.Registration.KeyId, refused.Instance?.ToString());
                metrics.Count("Heartbeats", ("Outcome", refused.Problem.Code));
                if (refused.Problem == HeartbeatProblems.CounterConflict)
                    metrics.Count("HeartbeatConflict");
                break;
        }
    }
}
