using System.Text.Json;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Http;

namespace ControlPlane.MeteringCollector.Enrolment;

/// <summary>A machine's wish to have its key registered in, a receipt or a problem out.</summary>
internal sealed class EnrolmentFunction(EnrolSidecar enrolSidecar, Uri controlPlaneUrl, MeteringEvents events, TimeProvider clock)
{
    private readonly PrivateDoor _door = new(controlPlaneUrl, clock);

    [LambdaFunction(ResourceName = "EnrolmentFunction")]
    [RestApi(LambdaHttpMethod.Post, "/metering/keys")]
    public Task<APIGatewayProxyResponse> AnswerAsync(APIGatewayProxyRequest http, ILambdaContext context) => _door.AnswerAsync(
        http, context, EnrolSidecar.LargestBody, AnswerAsync, problem => events.EnrolmentRefused(problem, null, null, null), events.EnrolmentFailed);

    private async Task<PrivateAnswer> AnswerAsync(RawRequest request, CancellationToken cancel)
    {
        switch (await enrolSidecar.RunAsync(request, cancel))
        {
            case EnrolmentAnswer.Enrolled enrolled:
                events.SidecarEnrolled(enrolled.Applicant.Tenant, enrolled.Applicant.Instance, enrolled.Applicant.Key.KeyId, enrolled.IsRepeat);
                return new PrivateAnswer.Receipt(201, JsonSerializer.Serialize(ReceiptOf(enrolled), EnrolmentJson.Default.EnrolmentReceipt));
            case EnrolmentAnswer.Refused refused:
                events.EnrolmentRefused(refused.Problem, refused.Applicant?.Tenant, refused.Applicant?.Instance, refused.Applicant?.Key.KeyId);
                return new PrivateAnswer.Refused(refused.Problem);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static EnrolmentReceipt ReceiptOf(EnrolmentAnswer.Enrolled enrolled) => new(
        enrolled.Applicant.Key.KeyId.ToString(), enrolled.Applicant.Tenant.ToString(), enrolled.Applicant.Instance.ToString(), enrolled.IsRepeat);
}
