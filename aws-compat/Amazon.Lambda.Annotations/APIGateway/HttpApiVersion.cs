namespace Amazon.Lambda.Annotations.APIGateway;

/// <summary>The payload format of the event.</summary>
public enum HttpApiVersion
{
    V1,
    V2,
}
