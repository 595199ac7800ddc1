using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Http;

namespace ControlPlane.MeteringCollector.Outcomes;

/// <summary>An engine's callback in, a receipt or a problem out.</summary>
internal sealed class OutcomesFunction(RecordOutcome recordOutcome, Uri controlPlaneUrl, MeteringEvents events, TimeProvider clock)
{
    private readonly PrivateDoor _door = new(controlPlaneUrl, clock);

    [LambdaFunction(ResourceName = "OutcomesFunction")]
    [RestApi(LambdaHttpMethod.Post, "/outcomes/execution")]
    public Task<APIGatewayProxyResponse> AnswerAsync(APIGatewayProxyRequest http, ILambdaContext context) =>
        _door.AnswerAsync(http, context, RecordOutcome.LargestBody, AnswerAsync, problem => events.OutcomeRefused(problem, null), events.OutcomeFailed);

    private async Task<PrivateAnswer> AnswerAsync(RawRequest request, CancellationToken cancel)
    {
        switch (await recordOutcome.RunAsync(request, cancel))
        {
            case OutcomeAnswer.Taken taken:
                events.OutcomeTaken(taken.Execution, taken.Tenant, OutcomeReceipt.StatusOf(taken.State), taken.IsRepeat, taken.IsLate);
                if (!taken.IsBooked)
                    events.Unbooked(taken.Execution, taken.Tenant);
                return new PrivateAnswer.Receipt(200, JsonSerializer.Serialize(ReceiptOf(taken), OutcomeJson.Default.OutcomeReceipt));
            case OutcomeAnswer.Refused refused:
                events.OutcomeRefused(refused.Problem, refused.Execution);
                return new PrivateAnswer.Refused(refused.Problem);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static OutcomeReceipt ReceiptOf(OutcomeAnswer.Taken taken) => new(
        taken.Execution.ToString(), OutcomeReceipt.StatusOf(taken.State), taken.IsRepeat, taken.IsLate,
        taken.Ignored is { Count: > 0 } ignored ? ignored : null);
}
