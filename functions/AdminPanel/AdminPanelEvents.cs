using ControlPlane.Aws.Logs;
using Microsoft.Extensions.Logging;

namespace ControlPlane.AdminPanel;

/// <summary>What happens here that somebody may ask about later: each told once, to the log and where it counts to the metrics.</summary>
internal sealed partial class AdminPanelEvents(JsonLog output, TimeProvider clock)
{
    private readonly ILogger _log = output;
    private readonly Metrics _metrics = new(output, clock);

    /// <summary>Somebody was let in and answered.</summary>
    public void Answered(string requestId, string actor, string method, string path, int status) => LogAnswered(requestId, actor, method, path, status);

    /// <param name="why">In one word: which of the checks failed.</param>
    public void NotLetIn(string requestId, string why)
    {
        LogNotLetIn(requestId, why);
        _metrics.Count(MetricCatalogue.PanelRefusals);
    }

    /// <summary>Somebody whom the identity provider knows, and who has no business here: a person's normal day, so no alarm.</summary>
    [LoggerMessage(
        EventId = 6, EventName = "panel_without_role", Level = LogLevel.Warning, Message = "{RequestId}: {Subject} has none of the roles that the panel is for")]
    public partial void WithoutRole(string requestId, string subject);

    public void Refused(string requestId, string actor, string method, string path, string why) => LogRefused(requestId, actor, method, path, why);

    public void Failed(string requestId, string method, string path, Exception exception)
    {
        LogFailed(requestId, method, path, exception);
        _metrics.Count(MetricCatalogue.PanelFailures);
    }

    [LoggerMessage(EventId = 1, EventName = "panel_answered", Level = LogLevel.Information, Message = "{RequestId}: {Method} {Path} of {Actor}: {Status}")]
    private partial void LogAnswered(string requestId, string actor, string method, string path, int status);

    [LoggerMessage(EventId = 2, EventName = "panel_not_let_in", Level = LogLevel.Warning, Message = "{RequestId}: nobody that the load balancer vouches for: {Why}")]
    private partial void LogNotLetIn(string requestId, string why);

    [LoggerMessage(EventId = 3, EventName = "panel_refused", Level = LogLevel.Warning, Message = "{RequestId}: {Method} {Path} of {Actor} is refused: {Why}")]
    private partial void LogRefused(string requestId, string actor, string method, string path, string why);

    [LoggerMessage(EventId = 4, EventName = "panel_failed", Level = LogLevel.Error, Message = "{RequestId}: {Method} {Path} failed")]
    private partial void LogFailed(string requestId, string method, string path, Exception exception);

    [LoggerMessage(EventId = 5, EventName = "foreign_event", Level = LogLevel.Warning, Message = "Something came that no load balancer sent; there is nothing to do for it")]
    public partial void Foreign();
}
