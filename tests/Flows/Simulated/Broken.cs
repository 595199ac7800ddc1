namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>Something that must always hold does not.</summary>
/// <param name="rule">I1 to I5, I9, I10; APPROVAL, SCHEDULE.</param>
internal sealed class Broken(string rule, string what) : Exception($"{rule}: {what}")
{
    public string Rule => rule;
}
