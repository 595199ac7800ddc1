using System.CommandLine;
using ControlPlane.Operator.Onboarding;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Commands;

/// <summary><c>tenant offboard</c>: the way back. What cannot be undone waits for a word of its own.</summary>
internal static class OffboardTenant
{
    public static Command Build(Runner runner)
    {
        var yes = new Option<bool>("--yes-delete-data") { Description = "Go past the steps that lose data, or from which there is no way back." };
        return new SeriesCommand(
            runner, "offboard", "Takes a tenant out: suspended and drained first, then, with --yes-delete-data, removed with its stacks. Said again, it goes on.",
            kept: [])
            .Build(Steps, yes, _ => null, instead: null, (_, _) => null);
    }

    private static IReadOnlyList<Step> Steps(SeriesCommand.Asked asked)
    {
        var run = asked.Run;
        var steps = new List<Step>
        {
            new("suspend", "nothing new is started for it", SuspendAsync),
            new("drain", "what runs has ended", (one, cancel) => DrainAsync(one, asked.Patience, cancel)),
            new("remove", "its keys, workspaces and catalogue go; its number stays taken for as long as its data is kept", RemoveAsync, LosesData: true),
        };
        if (run.Value("account") is { } account)
        {
            var stacks = TenantStacks.Of(run);
            steps.Add(new("routes", "the hub's routes over its peering", (_, cancel) => stacks.DeleteRoutesAsync(cancel)));
            steps.Add(new("data-plane", $"its data plane's stack in account {account}, and the peering with it", (_, cancel) => stacks.DeleteDataPlaneAsync(cancel), LosesData: true));
        }
        return steps;
    }

    private static async Task<string> SuspendAsync(StepRun run, CancellationToken cancel)
    {
        if (await (await run.Hub.AdministrationAsync(cancel)).SuspendAsync(run.Tenant, cancel) != ChangeResult.NothingThere)
            return "suspended";
        return await run.Hub.Tenants.FindAsync(run.Tenant, cancel) is null
            ? throw new StepException(Refusals.NotRegistered(run.Tenant).Why)
            : "it was removed before";
    }

    private static Task<string> DrainAsync(StepRun run, TimeSpan patience, CancellationToken cancel) => run.UntilAsync(
        patience, async () => (await run.Hub.Executions.OpenAsync(run.Tenant, cancel)).Count == 0 ? "no execution is open" : null,
        $"Executions are open still: ./ctl execution list {run.Tenant} shows them, ./ctl execution cancel ends one. Or wait longer, with --wait.", cancel);

    private static async Task<string> RemoveAsync(StepRun run, CancellationToken cancel)
    {
        if (await run.Hub.Tenants.CatalogueAsync(run.Tenant, cancel) is not { } catalogue)
            throw new StepException(Refusals.NotRegistered(run.Tenant).Why);
        if (await RemoveTenant.RunAsync(run.Hub, catalogue, cancel) is Answer.NotDone { Why: var why })
            throw new StepException(why);
        return $"removed; its number is free again {(await run.Hub.Tenants.FindAsync(run.Tenant, cancel))?.FreeAt:yyyy-MM-dd}";
    }
}
