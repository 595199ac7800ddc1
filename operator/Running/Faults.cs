using System.Net.Sockets;
using Amazon.Runtime;
using ControlPlane.Operator.Deployments;

namespace ControlPlane.Operator.Running;

/// <summary>What went wrong outside of us, in one line with the mend.</summary>
internal static class Faults
{
    public static string InWords(Exception exception, Deployment? deployment) => exception switch
    {
        NoDeploymentException => exception.Message,
        OperationCanceledException => "Stopped. What was done stays done; to repeat a command does no harm.",
        InvalidDataException => $"{FirstLine(exception)} ./ctl tenant engine or ./ctl tenant limits mends it.",
        FormatException => $"{FirstLine(exception)} infra/README.md says how secrets are filled.",
        _ when deployment is not null && IsUnreachable(exception) => $"{Capital(deployment.InWords)} does not answer: {deployment.Mend}",
        AmazonServiceException aws when deployment is not null => InWords(aws, deployment),
        AmazonClientException when exception.Message.Contains("credential", StringComparison.OrdinalIgnoreCase)
            || exception.Message.Contains("IMDS", StringComparison.Ordinal) =>
            "No AWS credentials were found: sign in (aws sso login) and set AWS_PROFILE. For a running ./run: --local.",
        _ => $"{exception.GetType().Name}: {FirstLine(exception)}",
    };

    private static string InWords(AmazonServiceException aws, Deployment deployment) => aws.ErrorCode switch
    {
        "ResourceNotFoundException" or "QueueDoesNotExist" or "AWS.SimpleQueueService.NonExistentQueue" =>
            $"{Capital(deployment.InWords)} is not all there ({FirstLine(aws).TrimEnd('.')}): {deployment.Mend}",
        "ExpiredToken" or "ExpiredTokenException" => "The AWS credentials have expired: sign in again.",
        "UnrecognizedClientException" or "InvalidClientTokenId" or "SignatureDoesNotMatch" or "InvalidSignatureException" =>
            "AWS does not know these credentials: sign in again, or set AWS_PROFILE.",
        var code when code?.StartsWith("AccessDenied", StringComparison.Ordinal) == true =>
            $"AWS refuses: {FirstLine(aws).TrimEnd('.')}. docs/operations.md lists what an operator's role needs.",
        _ when aws.Retryable is not null => $"AWS is throttling or failing ({aws.ErrorCode}): try again in a minute.",
        _ => $"AWS says {aws.ErrorCode}: {FirstLine(aws)}",
    };

    private static bool IsUnreachable(Exception? exception) =>
        exception is HttpRequestException or SocketException || (exception is not null && IsUnreachable(exception.InnerException));

    private static string FirstLine(Exception exception) => exception.Message.Split('\n')[0].Trim();

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
