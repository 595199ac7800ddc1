using System.CommandLine;
using System.CommandLine.Parsing;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>tenant register</c>: a tenant and its workspace in one write. Said again with the same values, it says that all is there, and heals what is
/// not.</summary>
internal static class RegisterTenant
{
    /// <summary>Active peering connections that a VPC may have: 50 unless AWS was asked for more, and never more than 125.</summary>
    public const int StandardPeerings = 50;

    private const int MostPeerings = 125;

    private const int LongestName = 80;

    internal sealed record Wish(
        TenantId Id, string Name, TeamId? Workspace, EngineAddress Engine, bool AllowPublicSubnet, LimitChange Limits, int PeeringLimit);

    public static Command Build(Runner runner)
    {
        var id = TypedArguments.Tenant();
        var name = new Option<string>("--name") { Description = "As people call it.", Required = true, HelpName = "NAME", CustomParser = ReadName };
        var workspace = TypedArguments.SlackTeam();
        var engine =
            new Option<string>("--engine") { Description = "Where its engine listens, like 10.106.128.10:5678.", Required = true, HelpName = "ADDRESS" };
        var allowPublic = new Option<bool>("--allow-public-subnet") { Description = "The engine may sit in one of the tenant's public subnets." };
        var cidr =
            new Option<string?>("--cidr")
            {
                Description = "The range of the tenant's VPC, to have it checked: it follows from the number.",
                HelpName = "RANGE"
            };
        var limits = new LimitOptions();
        var peerings = PeeringLimit();

        return runner.Runs(
            limits.On(new("register", "Makes a tenant known: its engine, its Slack workspace, its limits.") { id, name, workspace, engine, allowPublic, cidr,
                peerings }),
            async (hub, given, cancel) =>
            {
                var tenant = given.GetRequiredValue(id);
                if (given.GetValue(cidr) is { } range && range != tenant.Network.ToString())
                    return new Answer.NotDone($"{tenant}'s VPC is {tenant.Network}, not {TypedArguments.Quote(range)}: the number decides. Make the VPC with that range, or register another number.");
                if (!EngineText.TryParse(given.GetRequiredValue(engine), tenant, given.GetValue(allowPublic), out var address))
                    return Refusals.EngineRefused(given.GetRequiredValue(engine), tenant, given.GetValue(allowPublic));
                return await RunAsync(
                    hub, new(
                        tenant, given.GetRequiredValue(name), given.GetValue(workspace), address, given.GetValue(allowPublic), limits.Of(given),
                        given.GetValue(peerings)), cancel);
            });
    }

    public static Option<int> PeeringLimit() =>
        TypedArguments.Count("--peering-limit", "Active peerings that the hub's VPC may have, as its quota in AWS says.", StandardPeerings, MostPeerings);

    public static string? ReadName(ArgumentResult given) => TypedArguments.Read(
        given, (string text, out string name) => (name = text.Trim()) is { Length: >= 1 and <= LongestName } && Plain.Text(name) == name,
        text => $"{text} is no name: 1 to {LongestName} printable characters.");

    public static async Task<Answer> RunAsync(ControlPlaneClient hub, Wish wish, CancellationToken cancel)
    {
        var there = await hub.Tenants.FindAsync(wish.Id, cancel);
        if (there is { Status: not TenantStatus.Deleting })
            return await AgainAsync(hub, wish, there, cancel);
        var (registered, inTheWay) = await RoomAsync(hub, there, wish.PeeringLimit, cancel);
        if (inTheWay is not null)
            return new Answer.NotDone(inTheWay);

        var tenant = new Tenant(wish.Id, wish.Name, TenantStatus.Active, wish.Engine, wish.AllowPublicSubnet, new(
            wish.Limits.MonthlyQuota ?? TenantLimits.Default.MonthlyQuota, wish.Limits.Concurrency ?? TenantLimits.Default.Concurrency,
            wish.Limits.MonthlyGpuMs,
            wish.Limits.Instances ?? TenantLimits.Default.Instances, wish.Limits.DeniesWhenSilent ?? TenantLimits.Default.DeniesWhenSilent));
        return await (await hub.AdministrationAsync(cancel)).RegisterAsync(tenant, wish.Workspace, cancel) switch
        {
            Registered.Now => await ShowAsync(hub, "registered", tenant, wish.Workspace, [.. Warnings(wish, registered + 1)], cancel),
            Registered.WorkspaceTaken taken => Refusals.WorkspaceTaken(wish.Workspace!.Value, taken.Tenant),
            _ => await hub.Tenants.FindAsync(wish.Id, cancel) is { } rival ? await AgainAsync(hub, wish, rival, cancel) : Refusals.NotRegistered(wish.Id),
        };
    }

    /// <summary>Whether a tenant that is not registered, or not any more, may be.</summary>
    /// <param name="there">Its record from before it was removed.</param>
    /// <returns>How many are registered, and what is in the way.</returns>
    public static async Task<(int Registered, string? InTheWay)> RoomAsync(ControlPlaneClient hub, Tenant? there, int peeringLimit, CancellationToken cancel)
    {
        // Two operators at the same moment may pass this together; AWS then refuses the peering itself.
        var (tenants, faulty) = await hub.Tenants.ReadableAsync(cancel);
        var registered = tenants.Count(tenant => tenant.Status != TenantStatus.Deleting) + faulty.Count;
        if (there is not null && !(there.FreeAt <= hub.Clock.GetUtcNow()))
            return (registered, $"{there.Id} was removed, and its data is still kept: its number is free again {there.FreeAt:yyyy-MM-dd}. Register another number.");
        return (registered, registered < peeringLimit
            ? null
            : $"{registered} tenants are registered, and the hub may have {peeringLimit} peerings. Raise the VPC's quota for active peering connections in AWS (at most {MostPeerings}) and say --peering-limit, or register in another hub.");
    }

    private static async Task<Answer> AgainAsync(ControlPlaneClient hub, Wish wish, Tenant there, CancellationToken cancel)
    {
        if (Difference(wish, there) is { } difference)
            return new Answer.NotDone($"{there.Id} is registered already, {difference}");
        if (wish.Workspace is not { } workspace || await hub.Tenants.OfSlackAsync(workspace, cancel) == there.Id)
            return await ShowAsync(hub, "unchanged", there, wish.Workspace, [], cancel);
        if (await (await hub.AdministrationAsync(cancel)).TryLinkAsync(new(workspace, there.Id), cancel))
            return await ShowAsync(hub, "linked", there, workspace, [], cancel);
        return await hub.Tenants.OfSlackAsync(workspace, cancel) is { } other && other != there.Id
            ? Refusals.WorkspaceTaken(workspace, other)
            : await ShowAsync(hub, "unchanged", there, wish.Workspace, [], cancel);
    }

    /// <summary>What was said and is stored otherwise, with the command that changes it. What was not said is not compared.</summary>
    private static string? Difference(Wish wish, Tenant there) => (wish, there) switch
    {
        _ when wish.Name != there.Name => $"with the name {there.Name}: change it with ./ctl tenant rename.",
        _ when wish.Engine != there.Engine || wish.AllowPublicSubnet != there.AllowPublicSubnet =>
            $"with the engine {EngineText.Format(there.Engine)}{(there.AllowPublicSubnet ? " --allow-public-subnet" : "")}: change it with ./ctl tenant engine.",
        _ when (wish.Limits.MonthlyQuota ?? there.Limits.MonthlyQuota) != there.Limits.MonthlyQuota
            || (wish.Limits.Concurrency ?? there.Limits.Concurrency) != there.Limits.Concurrency
            || (wish.Limits.LiftsGpuLimit ? null : wish.Limits.MonthlyGpuMs ?? there.Limits.MonthlyGpuMs) != there.Limits.MonthlyGpuMs
            || (wish.Limits.Instances ?? there.Limits.Instances) != there.Limits.Instances
            || (wish.Limits.DeniesWhenSilent ?? there.Limits.DeniesWhenSilent) != there.Limits.DeniesWhenSilent =>
                "with other limits: change them with ./ctl tenant limits.",
        _ => null,
    };

    private static IEnumerable<string> Warnings(Wish wish, int registered)
    {
        if (wish.Workspace is null)
            yield return $"no Slack workspace speaks for {wish.Id} yet: ./ctl slack link {wish.Id} T….";
        if (registered * 100 >= wish.PeeringLimit * 80)
            yield return $"{registered} of the hub's {wish.PeeringLimit} peerings are taken: raise the quota or plan the next hub (docs/scaling.md).";
    }

    private static async Task<Answer> ShowAsync(
        ControlPlaneClient hub, string result, Tenant tenant, TeamId? workspace, IReadOnlyList<string> warnings, CancellationToken cancel)
    {
        // The index may not show yet what was written a moment ago.
        var links = (await hub.Tenants.LinksOfAsync(tenant.Id, cancel)).Select(link => (TeamId?)link.WorkspaceId).Append(workspace).OfType<TeamId>()
            .Select(team => team.ToString()).Distinct();
        var shown = new RegistrationView(result, ViewMapper.Of(tenant), [.. links]);
        return Answer.Show(shown, CtlJson.Default.RegistrationView, page =>
        {
            page.Line(result switch
            {
                "registered" => $"{tenant.Id} is registered.",
                "linked" => $"{tenant.Id} was registered; now its workspace speaks for it too.",
                _ => $"{tenant.Id} was registered so before.",
            });
            page.Facts([.. DisplayText.Facts(shown.Tenant), ("slack", DisplayText.List(shown.Slack))]);
            if (result == "registered" && hub.NoteOnEngineOf($"{tenant.Id}") is { } note)
                page.Line(note);
            if (result == "registered")
                page.Line($"Next: ./ctl key add {tenant.Id}, ./ctl engine-key {tenant.Id}, ./ctl workflow publish {tenant.Id}.");
        }) with
        { Warnings = warnings };
    }
}
