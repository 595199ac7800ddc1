using System.Diagnostics.CodeAnalysis;
using ControlPlane.Executions;
using ControlPlane.Text;

namespace ControlPlane.MeteringCollector.Outcomes;

/// <summary>An outcome as it is written on the wire.</summary>
internal sealed record OutcomeBody(
    string Schema, string ExecutionId, string Status, string? StartedAt = null, string? FinishedAt = null, string? EngineExecutionId = null,
    OutcomeUsage? Usage = null, OutcomeBodyResult? Result = null, OutcomeBodyError? Error = null)
{
    public const string SchemaV1 = "outcome.v1";

    /// <summary>The longest summary that is stored whole, in UTF-16 units. Escaped six times over it still fits an item beside everything else.</summary>
    public const int LongestSummary = 16_384;
    public const int LongestMessage = 4_096;
    public const int LongestName = 128;
    public const int LongestUrl = 2_048;

    private const string CutMark = "… [cut]";

    /// <summary>Reads a body whose every member is of its type and range; texts that are too long are cut and say so, an overlong URL is left out.</summary>
    /// <remarks>Never refused for its size below the endpoint's limit: an engine gives up after a few tries, and the outcome would be lost over its wording.</remarks>
    public static bool TryParse(ReadOnlySpan<byte> json, [NotNullWhen(true)] out string? executionId, [NotNullWhen(true)] out Outcome? outcome)
    {
        executionId = null;
        outcome = null;
        if (!StrictJson.TryParse(json, OutcomeJson.Default.OutcomeBody, out var body) || body.Schema != SchemaV1 || StatusOf(body.Status) is not { } status)
            return false;
        if (!TryTime(body.StartedAt, out var startedAt) || !TryTime(body.FinishedAt, out var finishedAt))
            return false;
        var usage = body.Usage ?? new(0, 0, 0, 0);
        if (usage is not { CpuMs: >= 0, GpuMs: >= 0, InputTokens: >= 0, OutputTokens: >= 0 })
            return false;

        executionId = body.ExecutionId;
        outcome = new(
            status, startedAt, finishedAt, Cut(body.EngineExecutionId, LongestName),
            new(usage.CpuMs, usage.GpuMs, usage.InputTokens, usage.OutputTokens),
            body.Result is { } result ? new(Cut(result.Summary, LongestSummary), result.Url is { Length: > LongestUrl } ? null : result.Url) : null,
            body.Error is { } error ? new(Cut(error.Code, LongestName), Cut(error.Message, LongestMessage)) : null);
        return true;
    }

    private static OutcomeStatus? StatusOf(string text) => text switch
    {
        "running" => OutcomeStatus.Running,
        "succeeded" => OutcomeStatus.Succeeded,
        "failed" => OutcomeStatus.Failed,
        "cancelled" => OutcomeStatus.Cancelled,
        _ => null,
    };

    private static bool TryTime(string? text, out DateTimeOffset? time)
    {
        time = null;
        if (text is null)
            return true;
        var valid = Rfc3339.TryParse(text, out var parsed);
        time = parsed;
        return valid;
    }

    private static string? Cut(string? text, int longest)
    {
        if (text is null || text.Length <= longest)
            return text;
        var end = char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest;
        return text[..end] + CutMark;
    }
}

internal sealed record OutcomeUsage(long CpuMs = 0, long GpuMs = 0, long InputTokens = 0, long OutputTokens = 0);

internal sealed record OutcomeBodyResult(string? Summary = null, string? Url = null);

internal sealed record OutcomeBodyError(string? Code = null, string? Message = null);

/// <summary>The answer to an outcome that is taken.</summary>
/// <param name="Status">How the execution stands now.</param>
/// <param name="Duplicate">Whether it changed nothing.</param>
/// <param name="Late">Whether the execution had been timed out before its outcome came.</param>
internal sealed record OutcomeReceipt(string ExecutionId, string Status, bool Duplicate, bool Late)
{
    public static string StatusOf(ExecutionState state) => state.Name.ToLowerInvariant();
}
