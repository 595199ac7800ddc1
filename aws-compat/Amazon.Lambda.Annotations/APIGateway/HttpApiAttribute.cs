namespace Amazon.Lambda.Annotations.APIGateway;

/// <summary>A route of the HTTP API that leads to this method.</summary>
[AttributeUsage(AttributeTargets.Method)]
public class HttpApiAttribute(LambdaHttpMethod method, string template) : Attribute
{
    public HttpApiVersion Version { get; set; } = HttpApiVersion.V2;
    public string Template { get; set; } = template;
    public LambdaHttpMethod Method { get; set; } = method;
    public string? Authorizer { get; set; }
}
