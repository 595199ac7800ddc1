namespace ControlPlane.Executions;

/// <summary>Why an execution failed before its engine had it: the values of <see cref="Execution.FailureCode"/> that dispatch writes.</summary>
public static class DispatchFailure
{
    /// <summary>The engine could not be asked for as long as its token lived.</summary>
    public const string Unreachable = "dispatch_unreachable";

    /// <summary>The order waited longer than its token lives; nothing was sent.</summary>
    public const string Expired = "dispatch_expired";

    /// <summary>The engine refused the token (401, 403).</summary>
    public const string Unauthorized = "dispatch_unauthorized";

    /// <summary>The engine refused the request (other 4xx, 3xx).</summary>
    public const string Rejected = "dispatch_rejected";

    /// <summary>The engine knows no active workflow at that path.</summary>
    public const string WorkflowNotActive = "workflow_not_active";

    /// <summary>The stored engine address is not one that this tenant may have; nothing was dialled.</summary>
    public const string AddressRefused = "engine_address_refused";

    /// <summary>The tenant was suspended or removed after the request.</summary>
    public const string TenantNotActive = "tenant_not_active";

    /// <summary>The dispatch message or the stored order could not be understood.</summary>
    public const string Unreadable = "dispatch_unreadable";
}
