using System.Buffers;
using System.Text.Json;
using Amazon.Runtime;
using Amazon.Runtime.Internal;
using Amazon.Runtime.Internal.Transform;

namespace Amazon.SecretsManager.Internal;

/// <summary>An operation's request in the protocol AWS JSON 1.1.</summary>
internal sealed class RequestMarshaller<TRequest>(string operation, Action<Utf8JsonWriter, TRequest> writeMembers)
    : IMarshaller<IRequest, AmazonWebServiceRequest>
    where TRequest : AmazonWebServiceRequest
{
    public IRequest Marshall(AmazonWebServiceRequest input)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            writeMembers(json, (TRequest)input);
            json.WriteEndObject();
        }

        return new DefaultRequest(input, "Amazon.SecretsManager")
        {
            HttpMethod = "POST",
            ResourcePath = "/",
            Headers =
            {
                ["X-Amz-Target"] = "secretsmanager." + operation,
                ["Content-Type"] = "application/x-amz-json-1.1",
                ["x-amz-api-version"] = "2017-10-17",
            },
            Content = body.WrittenSpan.ToArray(),
        };
    }
}
