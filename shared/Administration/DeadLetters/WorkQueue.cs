namespace ControlPlane.Administration.DeadLetters;

/// <summary>A queue between the functions, each with its dead letters.</summary>
/// <param name="Name">As the operator types it.</param>
/// <param name="LogicalName">What its logical ids in serverless.template begin with.</param>
public sealed record WorkQueue(string Name, string LogicalName, bool IsFifo)
{
    public static readonly IReadOnlyList<WorkQueue> All =
    [
        new("execution-requests", "ExecutionRequests", IsFifo: true),
        new("dispatch", "Dispatch", IsFifo: false),
        new("notifications", "Notifications", IsFifo: false),
    ];
}
