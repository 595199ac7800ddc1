namespace Amazon.Lambda.RuntimeSupport.Bootstrap;

public class LambdaBootstrapOptions
{
    /// <summary>Host and port of the Runtime API; <c>AWS_LAMBDA_RUNTIME_API</c> when null.</summary>
    public string? RuntimeApiEndpoint { get; set; }
}
