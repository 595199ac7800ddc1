namespace Amazon.Lambda.APIGatewayEvents;

/// <summary>A REST API's event, payload format 1.0.</summary>
/// <remarks>https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html</remarks>
public class APIGatewayProxyRequest
{
    /// <summary>The template of the route, like <c>/tenants/{tenant_id}/jwks.json</c>.</summary>
    public string Resource { get; set; } = null!;

    public string Path { get; set; } = null!;
    public string HttpMethod { get; set; } = null!;

    /// <summary>Names as the client wrote them; of a repeated header only the last value.</summary>
    public IDictionary<string, string>? Headers { get; set; }

    public IDictionary<string, IList<string>>? MultiValueHeaders { get; set; }
    public IDictionary<string, string>? QueryStringParameters { get; set; }
    public IDictionary<string, IList<string>>? MultiValueQueryStringParameters { get; set; }
    public IDictionary<string, string>? PathParameters { get; set; }
    public IDictionary<string, string>? StageVariables { get; set; }
    public ProxyRequestContext RequestContext { get; set; } = null!;

    /// <summary>Base64 when <see cref="IsBase64Encoded"/>.</summary>
    public string? Body { get; set; }

    public bool IsBase64Encoded { get; set; }

    public class ProxyRequestContext
    {
        public string Path { get; set; } = null!;
        public string AccountId { get; set; } = null!;
        public string? ResourceId { get; set; }
        public string Stage { get; set; } = null!;
        public string RequestId { get; set; } = null!;
        public RequestIdentity Identity { get; set; } = null!;
        public string? ResourcePath { get; set; }
        public string HttpMethod { get; set; } = null!;
        public string ApiId { get; set; } = null!;
        public string? ExtendedRequestId { get; set; }
        public string? ConnectionId { get; set; }
        public long ConnectedAt { get; set; }
        public string? DomainName { get; set; }
        public string? DomainPrefix { get; set; }
        public string? EventType { get; set; }
        public string? MessageId { get; set; }
        public string? RouteKey { get; set; }
        public APIGatewayCustomAuthorizerContext? Authorizer { get; set; }
        public string? OperationName { get; set; }
        public string? IntegrationLatency { get; set; }
        public string? MessageDirection { get; set; }

        /// <summary>Like <c>09/Apr/2015:12:34:56 +0000</c>.</summary>
        public string? RequestTime { get; set; }

        /// <summary>Milliseconds since the Unix epoch.</summary>
        public long RequestTimeEpoch { get; set; }

        public string? Status { get; set; }
    }

    public class RequestIdentity
    {
        public string? CognitoIdentityPoolId { get; set; }
        public string? AccountId { get; set; }
        public string? CognitoIdentityId { get; set; }
        public string? Caller { get; set; }
        public string? ApiKey { get; set; }
        public string? ApiKeyId { get; set; }
        public string? AccessKey { get; set; }
        public string SourceIp { get; set; } = null!;
        public string? CognitoAuthenticationType { get; set; }
        public string? CognitoAuthenticationProvider { get; set; }
        public string? UserArn { get; set; }
        public string? UserAgent { get; set; }
        public string? User { get; set; }
        public ProxyRequestClientCert? ClientCert { get; set; }
    }

    /// <summary>Present with mutual TLS.</summary>
    public class ProxyRequestClientCert
    {
        public string? ClientCertPem { get; set; }
        public string? SubjectDN { get; set; }
        public string? IssuerDN { get; set; }
        public string? SerialNumber { get; set; }
        public ClientCertValidity? Validity { get; set; }
    }

    public class ClientCertValidity
    {
        public string? NotBefore { get; set; }
        public string? NotAfter { get; set; }
    }
}
