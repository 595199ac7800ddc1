using System.CommandLine;
using ControlPlane.Administration;
using ControlPlane.Audit;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>audit</c>: who changed what.</summary>
internal static class AuditCommand
{
    private const int Most = 1000;

    private static readonly TimeSpan Standard = TimeSpan.FromHours(24);

    public static Command Build(Runner runner)
    {
        var tenant = TypedArguments.Optional<TenantId>(
            "--tenant", "TENANT", "Of this tenant only.", TenantId.TryParse, text => $"{text} is no tenant: tenant-1 to tenant-156.");
        var actor = TypedArguments.Optional<Actor>(
            "--actor", "ACTOR", "Of this actor only, as the records name them: an ARN, local:USER, slack:TEAM/USER, oidc:SUBJECT.", Actor.TryParse,
            text => $"{text} is nobody: say an ARN, local:USER, slack:TEAM/USER or oidc:SUBJECT.");
        var since = TypedArguments.Optional(
            "--since", "24h", $"How far back; {Duration.Format(Standard)} when left out. Records are kept for {AuditEntry.Retention.TotalDays:0} days.",
            (string text, out TimeSpan time) => Duration.TryParse(text, out time) && time > TimeSpan.Zero && time <= AuditEntry.Retention,
            text => $"{text} is not a time like 90m or 24h, {AuditEntry.Retention.TotalHours:0}h at most.");
        var max = TypedArguments.Count("--max", "How many, the newest.", standard: 100, Most);

        return runner.Runs(new("audit", "Who changed what, newest first.") { tenant, actor, since, max }, async (hub, given, cancel) =>
        {
            var now = hub.Clock.GetUtcNow();
            var (from, most) = (now - (given.GetValue(since) ?? Standard), given.GetValue(max));
            var newest = hub.Audit.NewestAsync(given.GetValue(tenant), given.GetValue(actor), from, now, cancel);
            var entries = await newest.Take(most).ToListAsync(cancel);
            var shown = new AuditView(Rfc3339.Format(from), [.. entries.Select(Of)]);
            return Answer.Show(shown, CtlJson.Default.AuditView, page => page.Table(
                ["AT", "ACTOR", "ACTION", new("TENANT", 1), "TARGET", Column.Prose("CHANGE", 2)],
                entries.Select(one => (string?[])
                    [DisplayText.Time(Rfc3339.Format(one.At)), one.Mail ?? $"{one.Actor}", one.Action, one.Tenant?.ToString(), one.Target, one.ChangeInWords]))) with
            {
                Warnings = entries.Count == most ? [$"that is as many as --max allows: there may be more."] : [],
            };
        });
    }

    private static AuditEntryView Of(AuditEntry entry) => new(
        Rfc3339.Format(entry.At), entry.Actor.ToString(), entry.Mail, entry.Action, entry.Tenant?.ToString(), entry.Target,
        [.. entry.Values.Select(value => new AuditedValueView(value.Name, value.Was, value.Is))], entry.RequestId);
}
