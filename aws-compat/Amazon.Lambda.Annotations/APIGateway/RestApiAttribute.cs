namespace Amazon.Lambda.Annotations.APIGateway;

/// <summary>A route of the REST API that leads to this method.</summary>
[AttributeUsage(AttributeTargets.Method)]
public class RestApiAttribute(LambdaHttpMethod method, string template) : Attribute
{
    public string Template { get; set; } = template;
    public LambdaHttpMethod Method { get; set; } = method;
    public string? Authorizer { get; set; }
}
