namespace ControlPlane.Tenants;

/// <summary>How far a series of named steps is that takes a tenant in or out. It is kept with the tenant, so that any operator goes on from it.</summary>
/// <param name="Name"><c>onboard</c> or <c>offboard</c>.</param>
/// <param name="Values">What was asked for and what was found on the way, by name.</param>
/// <param name="Done">In the order in which they were done.</param>
/// <param name="Version">Rises by one with each write: of two operators at work one notices.</param>
public sealed record StepSeries(
    TenantId Tenant, string Name, IReadOnlyDictionary<string, string> Values, IReadOnlyList<StepDone> Done, long Version)
{
    public bool IsDone(string step) => Done.Any(one => one.Step == step);

    /// <summary>Forgets that these were done.</summary>
    public StepSeries Without(IReadOnlyCollection<string> steps) => this with { Done = [.. Done.Where(one => !steps.Contains(one.Step))] };
}

/// <param name="By">The operator.</param>
/// <param name="Result">What came of it, in one line.</param>
public sealed record StepDone(string Step, DateTimeOffset At, string By, string Result);
