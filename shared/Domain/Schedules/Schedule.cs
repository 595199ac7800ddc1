using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.Schedules;

/// <summary>A workflow that runs at planned times, for whoever made the schedule.</summary>
public sealed record Schedule
{
    /// <summary>The most that one tenant may have.</summary>
    public const int MostOfTenant = 200;

    public required TenantId Tenant { get; init; }
    public required WorkflowName Workflow { get; init; }

    /// <summary>Who made it, as whom it runs, and who is told; its id too.</summary>
    public required Requester.Schedule Owner { get; init; }

    /// <summary>Five fields.</summary>
    public required string Cron { get; init; }

    /// <summary>The IANA time zone that the fields are read in.</summary>
    public required string Zone { get; init; }

    /// <summary>A JSON object, values as typed: the catalogue's types are applied when it runs.</summary>
    public required JsonElement Inputs { get; init; }

    /// <summary>Whether its channel is told, not its owner alone.</summary>
    public bool IsPublic { get; init; }

    /// <summary>Whether it runs while its last execution is still under way.</summary>
    public bool AllowsOverlap { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    public DateTimeOffset? PausedAt { get; init; }

    public DateTimeOffset? RemovedAt { get; init; }

    /// <summary>Whether no planned time of it is to be ordered any more, or for now.</summary>
    public bool IsStopped => PausedAt is not null || RemovedAt is not null;

    /// <summary>The planned time that comes next; null where its fields name none any more.</summary>
    public DateTimeOffset? NextAt { get; init; }

    /// <summary>The planned time whose execution is being ordered: noted before the order is sent, and gone when it was.</summary>
    public DateTimeOffset? OrderingAt { get; init; }

    /// <summary>Its last planned times and what became of them, the newest last.</summary>
    public IReadOnlyList<Firing> Firings { get; init; } = [];

    public ScheduleId Id => Owner.ScheduleId;

    /// <summary>The last planned time that was ordered.</summary>
    public Firing? LastOrdered => Firings.LastOrDefault(one => one.Kind == FiringKind.Ordered);

    /// <summary>What is sent for a planned time.</summary>
    /// <param name="now">From when its workflow's deadline counts: what is late is late by no fault of its own.</param>
    public ExecutionRequest OrderOf(DateTimeOffset planned, DateTimeOffset now) => new(
        ExecutionRequest.SchemaV1, ExecutionId.OfSchedule(Id, planned).ToString(), Tenant.ToString(), Workflow.ToString(), Inputs, Owner, IsPublic, now);
}

/// <summary>What became of a planned time.</summary>
/// <param name="Until">Where several came to the same, one after the other: before when; null for one alone.</param>
public sealed record Firing(DateTimeOffset PlannedAt, FiringKind Kind, DateTimeOffset? Until = null)
{
    /// <summary>How many a schedule keeps.</summary>
    public const int Kept = 10;
}

public enum FiringKind
{
    /// <summary>Its execution was ordered; policy decides as for any other.</summary>
    Ordered,

    /// <summary>Left out: the last execution was still under way.</summary>
    Overlapped,

    /// <summary>The hub was away at that time.</summary>
    Missed,
}
