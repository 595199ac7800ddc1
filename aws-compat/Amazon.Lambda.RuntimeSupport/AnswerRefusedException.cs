using System.Net;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>Lambda did not take a function's answer.</summary>
internal sealed class AnswerRefusedException : Exception
{
    public AnswerRefusedException(HttpStatusCode status, long length) : base($"The Lambda Runtime API refused an answer of {length} bytes with {(int)status}.") =>
        ErrorType = status == HttpStatusCode.RequestEntityTooLarge ? "Function.ResponseSizeTooLarge" : "Runtime.AnswerRefused";

    public AnswerRefusedException(Exception cause, long length) : base($"The Lambda Runtime API hung up on an answer of {length} bytes.", cause) =>
        ErrorType = "Runtime.AnswerRefused";

    /// <summary>In Lambda's own words, <c>category.reason</c>.</summary>
    public string ErrorType { get; }
}
