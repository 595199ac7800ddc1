using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.Runtime.Internal;
using Amazon.Util;

namespace Amazon.SecretsManager.Internal;

/// <summary>Hands the client's configuration to the endpoint's rules.</summary>
internal sealed class AmazonSecretsManagerEndpointResolver : BaseEndpointResolver
{
    protected override void ServiceSpecificHandler(IExecutionContext executionContext, EndpointParameters parameters) =>
        InjectHostPrefix(executionContext.RequestContext);

    protected override EndpointParameters MapEndpointsParameters(IRequestContext requestContext)
    {
        var config = requestContext.ClientConfig;
        return new EndpointParameters
        {
            ["Region"] = (requestContext.Request.AlternateEndpoint ?? config.RegionEndpoint)?.SystemName ?? RegionOf(config),
            ["UseDualStack"] = config.UseDualstackEndpoint,
            ["UseFIPS"] = config.UseFIPSEndpoint,
            ["Endpoint"] = config.ServiceURL,
        };
    }

    /// <summary>With a ServiceURL and no region, the signature's region is the configured one or the one that the URL spells.</summary>
    private static string? RegionOf(IClientConfig config)
    {
        if (string.IsNullOrEmpty(config.ServiceURL))
            return null;
        return string.IsNullOrEmpty(config.AuthenticationRegion) ? AWSSDKUtils.DetermineRegion(config.ServiceURL) : config.AuthenticationRegion;
    }
}
