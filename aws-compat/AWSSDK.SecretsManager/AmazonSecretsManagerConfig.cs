using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.SecretsManager.Internal;
using Amazon.Util.Internal;

namespace Amazon.SecretsManager;

public class AmazonSecretsManagerConfig : ClientConfig
{
    private static readonly string UserAgentText = InternalSDKUtils.BuildUserAgentString("Secrets_Manager", "4.0.0");

    public AmazonSecretsManagerConfig() : base(new DefaultConfigurationProvider(DefaultConfigurations.All))
    {
        base.ServiceId = ServiceId;
        AuthenticationServiceName = "secretsmanager";
        EndpointProvider = new AmazonSecretsManagerEndpointProvider();
    }

    /// <summary>Names the settings of this service: <c>AWS_ENDPOINT_URL_SECRETS_MANAGER</c>.</summary>
    public static new string ServiceId => "Secrets Manager";

    public override string RegionEndpointServiceName => "secretsmanager";
    public override string ServiceVersion => "2017-10-17";
    public override string UserAgent => UserAgentText;

    /// <summary>The endpoint that a request would go to.</summary>
    public override Runtime.Endpoints.Endpoint DetermineServiceOperationEndpoint(Runtime.Endpoints.ServiceOperationEndpointParameters parameters) =>
        new AmazonSecretsManagerEndpointResolver().GetEndpoint(new Runtime.Internal.ExecutionContext(
            new RequestContext(enableMetric: false)
            {
                ClientConfig = this,
                OriginalRequest = parameters.Request,
                Request = new DefaultRequest(parameters.Request, ServiceId) { AlternateEndpoint = parameters.AlternateEndpoint },
            },
            responseContext: null));
}
