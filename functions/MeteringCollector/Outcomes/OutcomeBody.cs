using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Text;

namespace ControlPlane.MeteringCollector.Outcomes;

/// <summary>What came of reading an outcome's body.</summary>
internal abstract record OutcomeReading
{
    private OutcomeReading() { }

    /// <param name="ExecutionId">As the body has it.</param>
    /// <param name="Progress">How far a run is that has not ended; null where the engine does not say.</param>
    /// <param name="Ignored">Members that could not be read and are left out, by their paths: <c>usage.cpu_ms</c>.</param>
    public sealed record Read(string ExecutionId, Outcome Outcome, Progress? Progress, IReadOnlyList<string> Ignored) : OutcomeReading;

    /// <param name="Member">The required member that is missing or wrong; null when the body is not JSON, or no object.</param>
    public sealed record Unusable(string? Member) : OutcomeReading;
}

/// <summary>An outcome as it is written on the wire.</summary>
/// <remarks>
/// Strict about what decides: JSON of one reading, schema, execution and status. Lenient about the rest, for an outcome is not lost over its wording: what is
/// plain is read, what is not is left out, and
/// the sender hears which. Texts that are too long are cut and say so.
/// </remarks>
internal sealed class OutcomeBody
{
    public const string SchemaV1 = "outcome.v1";

    /// <summary>The longest summary that is stored whole, in UTF-16 units. Escaped six times over it still fits an item beside everything else.</summary>
    public const int LongestSummary = 16_384;
    public const int LongestMessage = 4_096;
    public const int LongestName = 128;
    public const int LongestUrl = 2_048;
    public const int LongestProgress = 256;

    private const string CutMark = "… [cut]";

    private readonly List<string> _ignored = [];

    private OutcomeBody() { }

    public static OutcomeReading Read(ReadOnlySpan<byte> json) =>
        StrictJson.TryParseObject(json, out var body) ? new OutcomeBody().Read(body) : new OutcomeReading.Unusable(null);

    private OutcomeReading Read(JsonElement body)
    {
        if (RequiredText(body, "schema") != SchemaV1)
            return new OutcomeReading.Unusable("schema");
        if (RequiredText(body, "execution_id") is not { } execution)
            return new OutcomeReading.Unusable("execution_id");
        if (StatusOf(RequiredText(body, "status")) is not { } status)
            return new OutcomeReading.Unusable("status");

        var (startedAt, finishedAt, run) = (Time(body, "started_at"), Time(body, "finished_at"), Text(body, "engine_execution_id", LongestName));
        var progress = status == OutcomeStatus.Running ? ProgressIn(body) : null;
        return new OutcomeReading.Read(execution, new(status, startedAt, finishedAt, run, Usage(body), Result(body), Error(body)), progress, _ignored);
    }

    private static string? RequiredText(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static OutcomeStatus? StatusOf(string? text) => text switch
    {
        "running" => OutcomeStatus.Running,
        "succeeded" => OutcomeStatus.Succeeded,
        "failed" => OutcomeStatus.Failed,
        "cancelled" => OutcomeStatus.Cancelled,
        _ => null,
    };

    private ExecutionUsage Usage(JsonElement body)
    {
        if (!TryMember(body, "usage", out var usage))
            return ExecutionUsage.None;
        if (usage.ValueKind != JsonValueKind.Object)
            return Ignored("usage", ExecutionUsage.None);
        return new(Amount(usage, "cpu_ms"), Amount(usage, "gpu_ms"), Amount(usage, "input_tokens"), Amount(usage, "output_tokens"));
    }

    private OutcomeResult? Result(JsonElement body)
    {
        if (!TryMember(body, "result", out var result))
            return null;
        if (result.ValueKind != JsonValueKind.Object)
            return ScalarOf(result) is { } text ? new(Cut(text, LongestSummary), null) : Ignored<OutcomeResult>("result");
        return new(Text(result, "summary", LongestSummary, "result."), Url(result));
    }

    private OutcomeError? Error(JsonElement body)
    {
        if (!TryMember(body, "error", out var error))
            return null;
        if (error.ValueKind != JsonValueKind.Object)
            return ScalarOf(error) is { } text ? new(null, Cut(text, LongestMessage)) : Ignored<OutcomeError>("error");
        return new(Text(error, "code", LongestName, "error."), Text(error, "message", LongestMessage, "error."));
    }

    private Progress? ProgressIn(JsonElement body)
    {
        if (!TryMember(body, "progress", out var value))
            return null;
        return (value.ValueKind, value.ValueKind is JsonValueKind.Number or JsonValueKind.String ? ScalarOf(value)! : "") switch
        {
            (JsonValueKind.Number or JsonValueKind.String, var text)
                when decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent is >= 0 and <= 100 =>
                new Progress.Percent((int)Math.Round(percent, MidpointRounding.AwayFromZero)),
            (JsonValueKind.String, var text) when !Invisible.IsBlank(text) => new Progress.Words(Cut(text, LongestProgress)),
            _ => Ignored<Progress>("progress"),
        };
    }

    // A link that is cut leads elsewhere.
    private string? Url(JsonElement result) =>
        !TryMember(result, "url", out var url) ? null
        : url.ValueKind == JsonValueKind.String && url.GetString() is { Length: <= LongestUrl } text ? text
        : Ignored<string>("result.url");

    private string? Text(JsonElement parent, string name, int longest, string path = "") =>
        !TryMember(parent, name, out var value) ? null
        : ScalarOf(value) is { } text ? Cut(text, longest)
        : Ignored<string>(path + name);

    private DateTimeOffset? Time(JsonElement body, string name)
    {
        if (!TryMember(body, name, out var value))
            return null;
        if (value.ValueKind == JsonValueKind.String && Rfc3339.TryParseWithOffset(value.GetString(), out var time))
            return time;
        _ignored.Add(name);
        return null;
    }

    /// <summary>A whole number of at least zero, of a number or of the text of one; fractions are rounded.</summary>
    private long Amount(JsonElement usage, string name)
    {
        if (!TryMember(usage, name, out var value))
            return 0;
        var digits = value.ValueKind switch { JsonValueKind.Number => value.GetRawText(), JsonValueKind.String => value.GetString(), _ => null };
        return decimal.TryParse(digits, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var number)
            && number <= JsonInteger.Highest
            ? (long)Math.Round(number, MidpointRounding.AwayFromZero)
            : Ignored($"usage.{name}", 0L);
    }

    // A member that is null says nothing, like one that is not there.
    private static bool TryMember(JsonElement parent, string name, out JsonElement value) =>
        parent.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private static string? ScalarOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => null,
    };

    private T? Ignored<T>(string path) where T : class
    {
        _ignored.Add(path);
        return null;
    }

    private T Ignored<T>(string path, T instead)
    {
        _ignored.Add(path);
        return instead;
    }

    [return: NotNullIfNotNull(nameof(text))]
    private static string? Cut(string? text, int longest)
    {
        if (text is null || text.Length <= longest)
            return text;
        var end = char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest;
        return text[..end] + CutMark;
    }
}

/// <summary>The answer to an outcome that is taken.</summary>
/// <param name="Status">How the execution stands now.</param>
/// <param name="Duplicate">Whether it changed nothing.</param>
/// <param name="Late">Whether the execution had ended before its outcome came.</param>
/// <param name="Ignored">Members that could not be read and were left out; absent when there are none.</param>
internal sealed record OutcomeReceipt(string ExecutionId, string Status, bool Duplicate, bool Late, IReadOnlyList<string>? Ignored = null)
{
    public static string StatusOf(ExecutionState state) => state.Name.ToLowerInvariant();
}
