namespace Amazon.Lambda.APIGatewayEvents;

/// <summary>An HTTP API's event, payload format 2.0.</summary>
/// <remarks>https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html</remarks>
public class APIGatewayHttpApiV2ProxyRequest
{
    public string Version { get; set; } = null!;
    public string RouteKey { get; set; } = null!;
    public string RawPath { get; set; } = null!;

    /// <summary>As sent, still escaped, without the question mark; empty when there is none.</summary>
    public string RawQueryString { get; set; } = null!;

    public string[]? Cookies { get; set; }

    /// <summary>Names in lower case; the values of a repeated header joined with commas.</summary>
    public IDictionary<string, string>? Headers { get; set; }

    public IDictionary<string, string>? QueryStringParameters { get; set; }
    public ProxyRequestContext RequestContext { get; set; } = null!;

    /// <summary>Base64 when <see cref="IsBase64Encoded"/>: API Gateway encodes whatever it does not know as text, forms among it.</summary>
    public string? Body { get; set; }

    public IDictionary<string, string>? PathParameters { get; set; }
    public bool IsBase64Encoded { get; set; }
    public IDictionary<string, string>? StageVariables { get; set; }

    public class ProxyRequestContext
    {
        public string AccountId { get; set; } = null!;
        public string ApiId { get; set; } = null!;
        public AuthorizerDescription? Authorizer { get; set; }
        public string DomainName { get; set; } = null!;
        public string DomainPrefix { get; set; } = null!;
        public HttpDescription Http { get; set; } = null!;
        public string RequestId { get; set; } = null!;
        public string? RouteId { get; set; }
        public string RouteKey { get; set; } = null!;
        public string Stage { get; set; } = null!;

        /// <summary>Like <c>12/Mar/2020:19:03:58 +0000</c>.</summary>
        public string Time { get; set; } = null!;

        /// <summary>Milliseconds since the Unix epoch.</summary>
        public long TimeEpoch { get; set; }

        public ProxyRequestAuthentication? Authentication { get; set; }
    }

    public class HttpDescription
    {
        public string Method { get; set; } = null!;
        public string Path { get; set; } = null!;
        public string Protocol { get; set; } = null!;
        public string SourceIp { get; set; } = null!;
        public string? UserAgent { get; set; }
    }

    public class AuthorizerDescription
    {
        public JwtDescription? Jwt { get; set; }
        public IDictionary<string, object>? Lambda { get; set; }
        public IAMDescription? IAM { get; set; }

        public class IAMDescription
        {
            public string? AccessKey { get; set; }
            public string? AccountId { get; set; }
            public string? CallerId { get; set; }
            public CognitoIdentityDescription? CognitoIdentity { get; set; }
            public string? PrincipalOrgId { get; set; }
            public string? UserARN { get; set; }
            public string? UserId { get; set; }
        }

        public class CognitoIdentityDescription
        {
            public IList<string>? AMR { get; set; }
            public string? IdentityId { get; set; }
            public string? IdentityPoolId { get; set; }
        }

        public class JwtDescription
        {
            public IDictionary<string, string>? Claims { get; set; }
            public string[]? Scopes { get; set; }
        }
    }

    /// <summary>Present with mutual TLS.</summary>
    public class ProxyRequestAuthentication
    {
        public ProxyRequestClientCert? ClientCert { get; set; }
    }

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
