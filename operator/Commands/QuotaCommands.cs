using System.CommandLine;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Recovery;
using ControlPlane.Operator.Running;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary><c>quota …</c>: a ledger that no longer agrees with the executions, and the region that writes it.</summary>
internal static class QuotaCommands
{
    public static Command Build(Runner runner) =>
        new("quota", "The quota's ledger: counting it anew, and the region that writes it.") { Recount(runner), Owner(runner) };

    private static Command Recount(Runner runner)
    {
        var (id, month) = (TypedArguments.Tenant(), TypedArguments.Month());
        var apply = new Option<bool>("--apply") { Description = "Set the counters to what was counted; without it nothing is changed." };
        return runner.Runs(
            new("recount", "What a tenant's counters are, and what its executions say they should be.") { id, month, apply },
            (hub, given, cancel) =>
                RecountAsync(hub, given.GetRequiredValue(id), given.GetValue(month) ?? Month.Of(hub.Clock.GetUtcNow()), given.GetValue(apply), cancel));
    }

    private static async Task<Answer> RecountAsync(ControlPlaneClient hub, TenantId tenant, Month month, bool applies, CancellationToken cancel)
    {
        if (await hub.Tenants.FindAsync(tenant, cancel) is null)
            return Refusals.NotRegistered(tenant);
        // What was forgotten cannot be counted.
        if (month.CompareTo(Month.Of(hub.Clock.GetUtcNow() - ExecutionStore.Kept)) <= 0)
            return new Answer.NotDone($"{month} cannot be counted any more: executions are kept for {ExecutionStore.Kept.TotalDays:0} days.");

        var count = await LedgerRecount.RunAsync(hub, tenant, month, applies, cancel);
        if (count.WasOvertaken)
            return new Answer.NotDone(await hub.Quotas.OwnerAsync(tenant, cancel) is { } owner
                ? $"Nothing was changed: an execution moved meanwhile, or {owner} writes this ledger and not this region. Run it again, with --region {owner}."
                : "Nothing was changed: an execution moved meanwhile. Run it again.");

        var shown = new RecountView(
            tenant.ToString(), month.ToString(), count.Agrees
                ? "agrees"
                : count.IsCorrected
                ? "corrected"
                : "differs", await hub.Quotas.OwnerAsync(tenant, cancel), Of(count.Ledger), Of(count.Counted));
        return Answer.Show(shown, CtlJson.Default.RecountView, page =>
        {
            page.Line(shown.Result switch
            {
                "agrees" => $"The ledger of {tenant} for {month} agrees with its executions.",
                "corrected" => $"The ledger of {tenant} for {month} was set to what its executions say.",
                _ => $"The ledger of {tenant} for {month} differs from its executions. --apply sets it.",
            });
            page.Table(["COUNTER", Column.Number("LEDGER"), Column.Number("EXECUTIONS")], Lines(shown));
        });
    }

    private static Command Owner(Runner runner)
    {
        var region = new Argument<string>("writer") { Description = "The region that writes the ledger from now on, like us-west-2." };
        var id = TypedArguments.TenantOrAll();
        return runner.Runs(new("owner", "Names the region that writes a tenant's ledger. First where it is written now, then where it is to be.") { region,
            id }, async (hub, given, cancel) =>
        {
            var writer = given.GetRequiredValue(region);
            var (readable, faulty) = await hub.Tenants.ReadableAsync(cancel);
            IReadOnlyList<TenantId> tenants = given.GetValue(id) is { } only
                ? [only]
                : [.. readable.Select(tenant => tenant.Id).Concat(faulty.Select(one => one.Id)).OrderBy(tenant => tenant.Number)];
            var auditor = await hub.AuditorAsync(cancel);
            foreach (var tenant in tenants)
                await hub.Quotas.GiveToAsync(tenant, writer, auditor, cancel);
            var shown = new LedgerOwnerView(writer, [.. tenants.Select(tenant => tenant.ToString())]);
            return Answer.Show(
                shown, CtlJson.Default.LedgerOwnerView,
                page => page.Line($"{writer} writes the ledger of {DisplayText.List(shown.Tenants)}, as this region's copy says."));
        });
    }

    private static LedgerCountView Of(LedgerCount count) => new(count.Month.Charged, count.Month.Used, count.Active, count.Month.Metered);

    private static IEnumerable<string?[]> Lines(RecountView shown)
    {
        var (ledger, counted) = (shown.Ledger, shown.Executions);
        yield return ["charged", DisplayText.Of(ledger.Charged), DisplayText.Of(counted.Charged)];
        yield return ["used", DisplayText.Of(ledger.Used), DisplayText.Of(counted.Used)];
        yield return ["under way", DisplayText.Of(ledger.UnderWay), DisplayText.Of(counted.UnderWay)];
        yield return ["CPU ms", DisplayText.Of(ledger.Reported.CpuMs), DisplayText.Of(counted.Reported.CpuMs)];
        yield return ["GPU ms", DisplayText.Of(ledger.Reported.GpuMs), DisplayText.Of(counted.Reported.GpuMs)];
        yield return ["tokens in", DisplayText.Of(ledger.Reported.InputTokens), DisplayText.Of(counted.Reported.InputTokens)];
        yield return ["tokens out", DisplayText.Of(ledger.Reported.OutputTokens), DisplayText.Of(counted.Reported.OutputTokens)];
    }
}
