using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ControlPlane.Administration;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Executions;

namespace ControlPlane.AdminPanel.Pages.Executions;

/// <param name="What">In one or two words.</param>
/// <param name="More">In plain words; text from outside is shown as what it is.</param>
public sealed record TimelineEntry(DateTimeOffset At, string What, string? More);

/// <param name="AgainKey">Makes a form that is sent twice one execution.</param>
public sealed record ExecutionView(
    Frame Frame, Execution Execution, string InWords, IReadOnlyList<TimelineEntry> Timeline, string Inputs, string? AgainKey)
{
    /// <summary>Whether there is anything to wait for.</summary>
    public bool IsLive => !Execution.State.IsTerminal || (Execution.ToldAt is null && Execution.RequestedBy.IsToldInSlack);

    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, string id, CancellationToken cancel)
    {
        if (!ExecutionId.TryParse(id, out var execution) || await hub.Executions.FindAsync(execution, cancel) is not { } found)
            return new PanelAnswer.NotFound("No execution has that id: it was never made, or is older than 90 days.");
        return new PanelAnswer.Page(ExecutionViewPage.Create(new(
            Frame.Of($"Execution {found.Id.Short}", "Executions", request), found, Reasons.Of(found, request.Now), [.. TimelineOf(found).OrderBy(one => one.At)],
            Indented(found.Inputs), request.Visitor.MayChange ? Guid.NewGuid().ToString("N") : null)));
    }

    private static IEnumerable<TimelineEntry> TimelineOf(Execution execution)
    {
        yield return new(execution.CreatedAt, "requested", $"by {execution.RequestedBy.InWords}");
        if (execution.Decision is { } decision)
            yield return new(execution.CreatedAt, "decided", decision.InPlainWords);
        foreach (var yes in execution.Approvals)
            yield return new(yes.At, "approved", $"by {yes.UserId} of {yes.TeamId}");
        if (execution.DeniedBy is { } no)
            yield return new(no.At, "denied", $"by {no.UserId} of {no.TeamId}");
        foreach (var attempt in execution.Attempts)
            yield return new(
                attempt.At, string.Create(CultureInfo.InvariantCulture, $"attempt {attempt.Number}"),
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{attempt.Result.Code}, {attempt.Milliseconds} ms{(attempt.Status is { } status ? $", HTTP {status}" : "")}{(attempt.Answer is { } said ? $": {said}" : "")}"));
        if (execution.DispatchedAt is { } dispatched)
            yield return new(dispatched, "taken", "by its engine");
        if (execution.StartedAt is { } started)
            yield return new(started, "running", execution.Progress switch
            {
                Progress.Percent { Value: var percent } => string.Create(CultureInfo.InvariantCulture, $"{percent} %"),
                Progress.Words { Text: var words } => words,
                _ => null,
            });
        if (execution.FinishedAt is { } finished)
            yield return new(finished, execution.State.Name.ToLowerInvariant().Replace('_', ' '), EndOf(execution));
        if (execution.ToldAt is { } told && execution.RequestedBy.IsToldInSlack)
            yield return new(told, execution.IsUntellable ? "not told" : "told", execution.IsUntellable ? "Slack did not take the message while it could be sent" : "in Slack");
    }

    private static string? EndOf(Execution execution) => execution switch
    {
        { FailureCode: { } failure } => failure.Code,
        { CancelledBy: { } by } => $"by {by}",
        { Outcome.Error: { } error } => $"{error.Code}: {error.Message}",
        _ => null,
    };

    // Shown as text, so nothing in it needs to be escaped for a script.
    private static string Indented(JsonElement inputs)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            inputs.WriteTo(json);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
