namespace Amazon.Lambda.Core;

/// <summary>What Lambda says about one invocation.</summary>
public interface ILambdaContext
{
    string AwsRequestId { get; }

    /// <summary>Only the AWS Mobile SDK sends one.</summary>
    IClientContext? ClientContext { get; }

    string FunctionName { get; }
    string FunctionVersion { get; }

    /// <summary>Only calls made with Cognito credentials have one.</summary>
    ICognitoIdentity? Identity { get; }

    string InvokedFunctionArn { get; }
    ILambdaLogger Logger { get; }
    string LogGroupName { get; }
    string LogStreamName { get; }
    int MemoryLimitInMB { get; }

    /// <summary>Time until Lambda kills the invocation; negative once it is overdue.</summary>
    TimeSpan RemainingTime { get; }

    string? TenantId => "";

    /// <summary>The X-Ray trace header, <c>Root=…;Parent=…;Sampled=…</c>.</summary>
    string? TraceId => "";

    ILambdaSerializer? Serializer => null;
}
