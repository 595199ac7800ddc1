using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Aws;
using ControlPlane.Http;

namespace ControlPlane.MeteringCollector.Enrolment;

/// <summary>A machine's wish to have its key registered in, a receipt or a problem out.</summary>
internal sealed class EnrolmentFunction(EnrolSidecar enrolSidecar, Uri controlPlaneUrl, MeteringEvents events, TimeProvider clock)
{
    private static readonly TimeSpan KeptBack = TimeSpan.FromMilliseconds(500);

    [LambdaFunction(ResourceName = "EnrolmentFunction")]
    [RestApi(LambdaHttpMethod.Post, "/metering/keys")]
    public async Task<APIGatewayProxyResponse> AnswerAsync(APIGatewayProxyRequest http, ILambdaContext context)
    {
        try
        {
            using var deadline = Deadline.Of(context, KeptBack, clock);
            EnrolmentAnswer answer = http.IsLargerThan(EnrolSidecar.LargestBody) ? new EnrolmentAnswer.Refused(Problem.TooLarge)
                : RawRequest.From(http) is { } request ? await enrolSidecar.RunAsync(request, deadline.Token)
                : new EnrolmentAnswer.Refused(Problem.Malformed);
            switch (answer)
            {
                case EnrolmentAnswer.Enrolled enrolled:
                    events.SidecarEnrolled(enrolled.Applicant.Tenant, enrolled.Applicant.Instance, enrolled.Applicant.Key.KeyId, enrolled.IsRepeat);
                    return Reply.Created(JsonSerializer.Serialize(ReceiptOf(enrolled), EnrolmentJson.Default.EnrolmentReceipt));
                case EnrolmentAnswer.Refused refused:
                    events.EnrolmentRefused(refused.Problem, refused.Applicant?.Tenant, refused.Applicant?.Instance, refused.Applicant?.Key.KeyId);
                    return refused.Problem.ToRest(controlPlaneUrl, ApiGateway.RequestIdOf(http, context));
                default:
                    throw new System.Diagnostics.UnreachableException();
            }
        }
        catch (Exception e)
        {
            // Whatever it was, it was ours or AWS's: the machine asks again.
            events.EnrolmentFailed(e);
            return Problem.Unavailable.ToRest(controlPlaneUrl, ApiGateway.RequestIdOf(http, context));
        }
    }

    private static EnrolmentReceipt ReceiptOf(EnrolmentAnswer.Enrolled enrolled) => new(
        enrolled.Applicant.Key.KeyId.ToString(), enrolled.Applicant.Tenant.ToString(), enrolled.Applicant.Instance.ToString(), enrolled.IsRepeat);
}
