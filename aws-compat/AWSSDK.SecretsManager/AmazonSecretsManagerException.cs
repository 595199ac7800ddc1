using System.Net;
using Amazon.Runtime;

namespace Amazon.SecretsManager;

/// <summary>Secrets Manager refused; <see cref="AmazonServiceException.ErrorCode"/> says what.</summary>
public class AmazonSecretsManagerException : AmazonServiceException
{
    public AmazonSecretsManagerException(string message) : base(message) { }

    public AmazonSecretsManagerException(string message, Exception? innerException) : base(message, innerException) { }

    public AmazonSecretsManagerException(
        string message, Exception? innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode) { }
}
