using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using static Amazon.Runtime.Internal.Endpoints.StandardLibrary.Fn;

namespace Amazon.SecretsManager.Internal;

/// <summary>The service's endpoint rules, as its model has them.</summary>
internal sealed class AmazonSecretsManagerEndpointProvider : IEndpointProvider
{
    public Endpoint ResolveEndpoint(EndpointParameters parameters)
    {
        var fips = parameters["UseFIPS"] is true;
        var dualStack = parameters["UseDualStack"] is true;
        if (parameters["Endpoint"] is string { Length: > 0 } endpoint)
            return fips || dualStack ? throw new AmazonClientException("FIPS and dual stack do not go with a custom endpoint.") : new Endpoint(endpoint);

        if (parameters["Region"] is not string { Length: > 0 } region || Partition(region) is not { } partition)
            throw new AmazonClientException("Secrets Manager has no endpoint without a region.");
        if (fips && !Equals(true, GetAttr(partition, "supportsFIPS")) || dualStack && !Equals(true, GetAttr(partition, "supportsDualStack")))
            throw new AmazonClientException($"FIPS or dual stack is asked for, and {region} does not have it.");

        var suffix = GetAttr(partition, dualStack ? "dualStackDnsSuffix" : "dnsSuffix");
        return new Endpoint($"https://secretsmanager{(fips ? "-fips" : "")}.{region}.{suffix}");
    }
}
