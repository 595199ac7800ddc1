using System.Net;
using System.Text.Json;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Transform;
using Amazon.Runtime.Internal.Util;
using Amazon.SecretsManager.Model;

namespace Amazon.SecretsManager.Internal;

/// <summary>An operation's response, or the exception that its error code stands for.</summary>
/// <param name="errors">The codes that have an exception of their own at this operation; any other is an <see cref="AmazonSecretsManagerException"/>.</param>
internal sealed class ResponseUnmarshaller(Func<JsonElement, AmazonWebServiceResponse> read, IReadOnlyList<string> errors) : JsonResponseUnmarshaller
{
    private const int BufferSize = 4096;

    public override AmazonWebServiceResponse Unmarshall(JsonUnmarshallerContext context)
    {
        using var json = JsonDocument.Parse(context.Stream);
        return read(json.RootElement);
    }

    public override AmazonServiceException UnmarshallException(JsonUnmarshallerContext context, Exception innerException, HttpStatusCode statusCode)
    {
        var reader = new StreamingUtf8JsonReader(context.Stream, BufferSize, context.JsonMaxDepth);
        var error = JsonErrorResponseUnmarshaller.GetInstance().Unmarshall(context, ref reader);
        var (message, type, code, id) = (error.Message, error.Type, error.Code, error.RequestId);
        return (errors.Contains(code) ? code : null) switch
        {
            "DecryptionFailure" => new DecryptionFailureException(message, innerException, type, code, id, statusCode),
            "EncryptionFailure" => new EncryptionFailureException(message, innerException, type, code, id, statusCode),
            "InternalServiceError" => new InternalServiceErrorException(message, innerException, type, code, id, statusCode),
            "InvalidParameterException" => new InvalidParameterException(message, innerException, type, code, id, statusCode),
            "InvalidRequestException" => new InvalidRequestException(message, innerException, type, code, id, statusCode),
            "LimitExceededException" => new LimitExceededException(message, innerException, type, code, id, statusCode),
            "ResourceExistsException" => new ResourceExistsException(message, innerException, type, code, id, statusCode),
            "ResourceNotFoundException" => new ResourceNotFoundException(message, innerException, type, code, id, statusCode),
            _ => new AmazonSecretsManagerException(message, innerException, type, code, id, statusCode),
        };
    }
}
