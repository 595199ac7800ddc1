using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Aws;
using ControlPlane.Http;

namespace ControlPlane.MeteringCollector.Outcomes;

/// <summary>An engine's callback in, a receipt or a problem out.</summary>
internal sealed class OutcomesFunction(RecordOutcome recordOutcome, Uri controlPlaneUrl, MeteringEvents events, TimeProvider clock)
{
    private static readonly TimeSpan KeptBack = TimeSpan.FromMilliseconds(500);

    [LambdaFunction(ResourceName = "OutcomesFunction")]
    [RestApi(LambdaHttpMethod.Post, "/outcomes/execution")]
    public async Task<APIGatewayProxyResponse> AnswerAsync(APIGatewayProxyRequest http, ILambdaContext context)
    {
        try
        {
            using var deadline = Deadline.Of(context, KeptBack, clock);
            OutcomeAnswer answer = http.IsLargerThan(RecordOutcome.LargestBody) ? new OutcomeAnswer.Refused(Problem.TooLarge)
                : RawRequest.From(http) is { } request ? await recordOutcome.RunAsync(request, deadline.Token)
                : new OutcomeAnswer.Refused(Problem.Malformed);
            Report(answer);
            return answer switch
            {
                OutcomeAnswer.Taken taken => Reply.Json(JsonSerializer.Serialize(
                    new(
                        taken.Execution.ToString(), OutcomeReceipt.StatusOf(taken.State), taken.IsRepeat, taken.IsLate,
                        taken.Ignored is { Count: > 0 } ignored ? ignored : null),
                    OutcomeJson.Default.OutcomeReceipt)),
                OutcomeAnswer.Refused refused => refused.Problem.ToRest(controlPlaneUrl, ApiGateway.RequestIdOf(http, context)),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }
        catch (Exception e)
        {
            // Whatever it was, it was ours: the engine sends the outcome again.
            events.OutcomeFailed(e);
            return Problem.Unavailable.ToRest(controlPlaneUrl, ApiGateway.RequestIdOf(http, context));
        }
    }

    private void Report(OutcomeAnswer answer)
    {
        switch (answer)
        {
            case OutcomeAnswer.Taken taken:
                events.OutcomeTaken(taken.Execution, taken.Tenant, OutcomeReceipt.StatusOf(taken.State), taken.IsRepeat, taken.IsLate);
                if (!taken.IsBooked)
                    events.Unbooked(taken.Execution, taken.Tenant);
                break;
            case OutcomeAnswer.Refused refused:
                events.OutcomeRefused(refused.Problem, refused.Execution);
                break;
        }
    }
}
