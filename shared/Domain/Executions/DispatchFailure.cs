namespace ControlPlane.Executions;

/// <summary>Why an execution failed before its engine had it.</summary>
public enum DispatchFailure
{
    /// <summary>The engine could not be asked for as long as its token lived.</summary>
    Unreachable,

    /// <summary>The order waited longer than its token lives; nothing was sent.</summary>
    Expired,

    /// <summary>The engine refused the token (401, 403).</summary>
    Unauthorized,

    /// <summary>The engine answered with a refusal (other 4xx, 3xx). Its workflow may have chosen it after it ran.</summary>
    Rejected,

    /// <summary>The engine knows no active workflow at that path.</summary>
    WorkflowNotActive,

    /// <summary>The stored engine address is not one that this tenant may have; nothing was dialled.</summary>
    AddressRefused,

    /// <summary>The tenant was suspended or removed after the request.</summary>
    TenantNotActive,

    /// <summary>The dispatch message or the stored order could not be understood.</summary>
    Unreadable,
}

public static class DispatchFailures
{
    public static readonly IReadOnlyList<DispatchFailure> All = Enum.GetValues<DispatchFailure>();

    extension(DispatchFailure failure)
    {
        /// <summary>Its name in tables, in attempts, metrics and on the wire.</summary>
        public string Code => failure switch
        {
            DispatchFailure.Unreachable => "dispatch_unreachable",
            DispatchFailure.Expired => "dispatch_expired",
            DispatchFailure.Unauthorized => "dispatch_unauthorized",
            DispatchFailure.Rejected => "dispatch_rejected",
            DispatchFailure.WorkflowNotActive => "workflow_not_active",
            DispatchFailure.AddressRefused => "engine_address_refused",
            DispatchFailure.TenantNotActive => "tenant_not_active",
            DispatchFailure.Unreadable => "dispatch_unreadable",
        };
    }

    /// <exception cref="FormatException">No failure has that code.</exception>
    public static DispatchFailure Parse(string code)
    {
        foreach (var failure in All)
            if (failure.Code == code)
                return failure;
        throw new FormatException("No dispatch failure has that code.");
    }
}
