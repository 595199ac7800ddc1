using System.Net;
using Amazon.Runtime;

namespace Amazon.SecretsManager.Model;

/// <summary>The key that protects the secret cannot be used.</summary>
public class DecryptionFailureException : AmazonSecretsManagerException
{
    public DecryptionFailureException(string message) : base(message) { }

    public DecryptionFailureException(string message, Exception? innerException) : base(message, innerException) { }

    public DecryptionFailureException(
        string message, Exception? innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode) { }
}

/// <summary>The key that should protect the secret cannot be used.</summary>
public class EncryptionFailureException : AmazonSecretsManagerException
{
    public EncryptionFailureException(string message) : base(message) { }

    public EncryptionFailureException(string message, Exception? innerException) : base(message, innerException) { }

    public EncryptionFailureException(
        string message, Exception? innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode) { }
}

public class InternalServiceErrorException : AmazonSecretsManagerException
{
    public InternalServiceErrorException(string message) : base(message) { }

    public InternalServiceErrorException(string message, Exception? innerException) : base(message, innerException) { }

    public InternalServiceErrorException(
        string message, Exception? innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode) { }
}

public class InvalidParameterException : AmazonSecretsManagerException
{
    public InvalidParameterException(string message) : base(message) { }

    public InvalidParameterException(string message, Exception? innerException) : base(message, innerException) { }

    public InvalidParameterException(
        string message, Exception? innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode) { }
}

/// <summary>The secret's state does not allow it: it is deleted, or has no value yet.</summary>
public class InvalidRequestException : AmazonSecretsManagerException
{
    public InvalidRequestException(string message) : base(message) { }

    public InvalidRequestException(string message, Exception? innerException) : base(message, innerException) { }

    public InvalidRequestException(
        string message, Exception? innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode) { }
}

public class LimitExceededException : AmazonSecretsManagerException
{
    public LimitExceededException(string message) : base(message) { }

    public LimitExceededException(string message, Exception? innerException) : base(message, innerException) { }

    public LimitExceededException(string message, Exception? innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode) { }
}

public class ResourceExistsException : AmazonSecretsManagerException
{
    public ResourceExistsException(string message) : base(message) { }

    public ResourceExistsException(string message, Exception? innerException) : base(message, innerException) { }

    public ResourceExistsException(
        string message, Exception? innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode) { }
}

/// <summary>There is no such secret, or no such version of it.</summary>
public class ResourceNotFoundException : AmazonSecretsManagerException
{
    public ResourceNotFoundException(string message) : base(message) { }

    public ResourceNotFoundException(string message, Exception? innerException) : base(message, innerException) { }

    public ResourceNotFoundException(
        string message, Exception? innerException, ErrorType errorType, string errorCode, string requestId, HttpStatusCode statusCode)
        : base(message, innerException, errorType, errorCode, requestId, statusCode) { }
}
