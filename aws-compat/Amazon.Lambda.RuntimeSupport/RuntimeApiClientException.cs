namespace Amazon.Lambda.RuntimeSupport;

/// <summary>The Runtime API refused an event, an answer or a report.</summary>
public class RuntimeApiClientException(string message, int statusCode) : Exception(message)
{
    public int StatusCode { get; } = statusCode;
}
