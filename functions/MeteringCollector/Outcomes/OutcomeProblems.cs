using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Http;

namespace ControlPlane.MeteringCollector.Outcomes;

/// <summary>Why an outcome is refused, beside what any body can be refused for.</summary>
internal static class OutcomeProblems
{
    public static readonly Problem TokenInvalid = new(
        401, "token-invalid", "Token invalid", "Send the callback token of the dispatch as one Authorization header, Bearer.");

    public static readonly Problem TokenMismatch = new(403, "token-mismatch", "Token mismatch", "The token belongs to another execution than the body names.");

    /// <param name="member">The required member that is missing or wrong.</param>
    public static Problem Malformed(string member) =>
        Problem.Malformed with { Detail = $"The member {member} is missing or is none that this endpoint knows." };

    // Unknown and somebody else's look the same.
    public static readonly Problem ExecutionUnknown = new(404, "execution-unknown", "Execution unknown", "There is no such execution.");

    public static readonly Problem UsageImplausible = new(
        422, "usage-implausible", "Usage implausible", "No execution uses more than 1,000,000,000,000 of anything.");

    public static Problem Conflict(ExecutionState stored) => new(
        409, "outcome-conflict", "Outcome conflict", "The execution has ended in another way. The first outcome stays.",
        Extensions: new Dictionary<string,
        JsonElement>
        { ["execution_status"] = JsonSerializer.SerializeToElement(OutcomeReceipt.StatusOf(stored), OutcomeJson.Default.String) });
}
