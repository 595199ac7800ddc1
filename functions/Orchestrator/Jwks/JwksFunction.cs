using System.Globalization;
using Amazon.Lambda.Annotations;
using Amazon.Lambda.Annotations.APIGateway;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Core;
using ControlPlane.Aws;
using ControlPlane.Http;
using ControlPlane.Tenants;
using ControlPlane.Tokens;

namespace ControlPlane.Orchestrator.Jwks;

/// <summary>A tenant's public keys. They follow from its id and the root secret, so no table is asked.</summary>
internal sealed class JwksFunction(TenantKeys keys, Uri controlPlaneUrl, OrchestratorEvents events, TimeProvider clock)
{
    private static readonly Problem NoSuchTenant = new(404, "unknown-tenant", "Unknown tenant", "Tenants are named tenant-1 to tenant-156.");

    [LambdaFunction(ResourceName = "JwksFunction")]
    [RestApi(LambdaHttpMethod.Get, "/tenants/{tenant_id}/jwks.json")]
    public async Task<APIGatewayProxyResponse> AnswerAsync(APIGatewayProxyRequest rest, ILambdaContext context)
    {
        var requestId = ApiGateway.RequestIdOf(rest, context);
        if (rest?.RequestContext is null)
        {
            events.Foreign();
            return Problem.Malformed.ToRest(controlPlaneUrl, requestId);
        }
        if (rest.PathParameters is not { } path || !path.TryGetValue("tenant_id", out var text) || !TenantId.TryParse(text, out var tenant))
            return NoSuchTenant.ToRest(controlPlaneUrl, requestId);

        try
        {
            using var deadline = Deadline.Of(context, TimeSpan.FromMilliseconds(300), clock);
            return new()
            {
                StatusCode = 200,
                Headers = new Dictionary<string, string>
                {
                    ["Content-Type"] = "application/jwk-set+json",
                    ["Cache-Control"] = string.Create(CultureInfo.InvariantCulture, $"public, max-age={(int)JwkSet.MaximumAge.TotalSeconds}"),
                },
                Body = JwkSet.Write(await keys.PublishedAsync(tenant, deadline.Token)),
            };
        }
        catch (Exception e)
        {
            // Whatever it was, it was ours: whoever verifies goes on with the keys it has, and asks again.
            events.KeysUnavailable(tenant, e);
            return Problem.Unavailable.ToRest(controlPlaneUrl, requestId);
        }
    }
}
