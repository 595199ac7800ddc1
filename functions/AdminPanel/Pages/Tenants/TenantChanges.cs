using System.Globalization;
using ControlPlane.Administration;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.AdminPanel.Pages.Tenants;

/// <summary>What operators change of a tenant, as <c>./ctl</c> does: by the same stores and the same use cases.</summary>
internal static class TenantChanges
{
    private static readonly TimeSpan ShortestDeadline = TimeSpan.FromMinutes(1);

    internal static async Task<PanelAnswer> AnswerAsync(
        Hub hub, PanelRequest request, Auditor auditor, string id, string action, CancellationToken cancel)
    {
        if (!TenantId.TryParse(id, out var tenant) || await hub.Tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
            return new PanelAnswer.NotFound("No tenant of that number is registered.");
        if (catalogue.Tenant.Status == TenantStatus.Deleting && action != "remove")
            return new PanelAnswer.NotDone($"{tenant} is removed: that has no way back.");
        var administration = hub.AdministrationBy(auditor);
        return action switch
        {
            "limits" => await LimitAsync(administration, request, catalogue.Tenant, cancel),
            "suspend" => Done(tenant, await administration.SuspendAsync(tenant, cancel), "suspended"),
            "resume" => Done(tenant, await administration.ResumeAsync(tenant, cancel), "resumed"),
            "remove" => await RemoveAsync(hub, request, auditor, catalogue, cancel),
            "key-invite" => await InviteMachineAsync(hub, request, auditor, tenant, cancel),
            "key-withdraw" => Done(tenant, await hub.InvitationsBy(auditor).WithdrawMachineAsync(tenant, request.Given("invitation"), cancel), "withdrawn"),
            "key-revoke" => await RevokeAsync(administration, request, tenant, cancel),
            "slack-invite" => await InviteWorkspaceAsync(hub, request, auditor, tenant, cancel),
            "slack-withdraw" => Done(tenant, await hub.InvitationsBy(auditor).WithdrawWorkspaceAsync(tenant, request.Given("invitation"), cancel), "withdrawn"),
            "publish" => await PublishAsync(administration, request, catalogue, cancel),
            "workflow-disable" => await SwitchAsync(administration, request, catalogue, isOn: false, cancel),
            "workflow-enable" => await SwitchAsync(administration, request, catalogue, isOn: true, cancel),
            "schedule-pause" or "schedule-resume" or "schedule-remove" => await ScheduleAsync(hub, request, auditor, tenant, action, cancel),
            _ => new PanelAnswer.NotFound("There is no such form."),
        };
    }

    private static PanelAnswer Done(TenantId tenant, ChangeResult change, string done) => change switch
    {
        ChangeResult.Made => new PanelAnswer.GoOn($"/tenants/{tenant}?done={done}"),
        ChangeResult.AlreadySo => new PanelAnswer.GoOn($"/tenants/{tenant}?done=unchanged"),
        ChangeResult.NothingThere => new PanelAnswer.NotDone("That is not there any more: somebody else may have changed it."),
    };

    private static async Task<PanelAnswer> LimitAsync(TenantAdministration administration, PanelRequest request, Tenant tenant, CancellationToken cancel)
    {
        var gpu = request.Given("gpu");
        TimeSpan gpuTime = default;
        if (!TryCount(request.Given("quota"), out var quota) || !TryCount(request.Given("concurrency"), out var concurrency) || concurrency > int.MaxValue
            || !TryCount(request.Given("instances"), out var instances) || instances is < 1 or > int.MaxValue)
            return new PanelAnswer.NotDone("Limits are whole numbers from 0 on, and there is at least one instance.");
        if (gpu is not null && !Duration.TryParse(gpu, out gpuTime))
            return new PanelAnswer.NotDone("GPU time is like 100h or 90m, and empty for no limit.");
        // What is as it was is not asked for: it would stand in the record, and undo what somebody else changes at the same time.
        var (was, gpuMs, denies) = (tenant.Limits, gpu is null ? null : (long?)gpuTime.TotalMilliseconds, request.Given("silent") == "deny");
        var wish = new LimitChange(
            quota == was.MonthlyQuota ? null : quota, concurrency == was.Concurrency ? null : (int)concurrency, gpuMs == was.MonthlyGpuMs ? null : gpuMs,
            LiftsGpuLimit: gpuMs is null && was.MonthlyGpuMs is not null, instances == was.Instances ? null : (int)instances,
            denies == was.DeniesWhenSilent ? null : denies);
        return Done(tenant.Id, await administration.LimitAsync(tenant.Id, wish, cancel), "limits");
    }

    private static bool TryCount(string? text, out long count) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && JsonInteger.Holds(count);

    private static async Task<PanelAnswer> RemoveAsync(
        Hub hub, PanelRequest request, Auditor auditor, TenantCatalogue catalogue, CancellationToken cancel)
    {
        var tenant = catalogue.Tenant.Id;
        if (request.Given("name") != tenant.ToString())
            return new PanelAnswer.NotDone($"To remove it, type {tenant} into the field beside the button.");
        var removal = await hub.RemovalBy(auditor).RunAsync(catalogue, cancel);
        return new PanelAnswer.GoOn($"/tenants/{tenant}?done={(removal.IsNew ? "removed" : "unchanged")}");
    }

    private static async Task<PanelAnswer> InviteMachineAsync(Hub hub, PanelRequest request, Auditor auditor, TenantId tenant, CancellationToken cancel)
    {
        InstanceId? instance = null;
        if (request.Given("instance") is { } name)
        {
            if (!InstanceId.TryParse(name, out var named))
                return new PanelAnswer.NotDone("An instance is 1 to 64 of A-Z, a-z, 0-9 and -.");
            instance = named;
        }
        var (_, code) = await hub.InvitationsBy(auditor).InviteMachineAsync(tenant, instance, lifetime: null, cancel);
        return await TenantView.AnswerAsync(hub, request, tenant.ToString(), cancel, new(
            "A code for one machine", code, $"On the machine: ./install.sh --url <private API> --tenant {tenant} --enrol {code}, within an hour."));
    }

    private static async Task<PanelAnswer> InviteWorkspaceAsync(Hub hub, PanelRequest request, Auditor auditor, TenantId tenant, CancellationToken cancel)
    {
        var (_, link) = await hub.InvitationsBy(auditor).InviteWorkspaceAsync(tenant, hub.PublicUrl, cancel);
        return await TenantView.AnswerAsync(hub, request, tenant.ToString(), cancel, new(
            "A link for the Slack administrator", link.AbsoluteUri, $"Whoever opens it first installs the app for {tenant}, within seven days."));
    }

    private static async Task<PanelAnswer> RevokeAsync(TenantAdministration administration, PanelRequest request, TenantId tenant, CancellationToken cancel) =>
        KeyId.TryParse(request.Given("key"), out var key)
            ? Done(tenant, await administration.RevokeAsync(tenant, key, cancel), "revoked")
            : new PanelAnswer.NotDone("That is no key's id.");

    private static async Task<PanelAnswer> PublishAsync(
        TenantAdministration administration, PanelRequest request, TenantCatalogue catalogue, CancellationToken cancel)
    {
        var tenant = catalogue.Tenant.Id;
        if (!WorkflowName.TryParse(request.Given("workflow"), out var name))
            return new PanelAnswer.NotDone("A workflow's name is 1 to 64 of A-Z, a-z, 0-9, _ and -.");
        if (!WebhookPath.TryParse(request.Given("path") ?? name.ToString(), out var path))
            return new PanelAnswer.NotDone("A path is 1 to 64 of A-Z, a-z, 0-9, _ and -.");
        if (!Duration.TryParse(request.Given("deadline") ?? "", out var deadline) || deadline < ShortestDeadline || deadline > Workflow.LongestDeadline)
            return new PanelAnswer.NotDone($"A deadline is from {Duration.Format(ShortestDeadline)} to {Duration.Format(Workflow.LongestDeadline)}, like 60m.");
        var parameters = new List<WorkflowParameter>();
        foreach (var line in (request.Given("parameters") ?? "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var (parameter, fault) = ParameterText.Parse(line);
            if (parameter is null || parameters.Exists(other => other.Name == parameter.Name))
                return new PanelAnswer.NotDone($"{fault ?? $"{parameter!.Name} is declared twice"}.");
            parameters.Add(parameter);
        }
        var before = catalogue.Workflows.FirstOrDefault(one => one.Name == name);
        var workflow = before is null
            ? new Workflow(name, path, parameters, deadline, request.Given("idempotent") == "yes", Enabled: true, [], [], [])
            : before with { Path = path, Parameters = parameters, Deadline = deadline, Idempotent = request.Given("idempotent") == "yes", Enabled = true };
        await administration.SaveAsync(tenant, workflow, before, cancel);
        return Done(tenant, ChangeResult.Made, "published");
    }

    private static async Task<PanelAnswer> SwitchAsync(
        TenantAdministration administration, PanelRequest request, TenantCatalogue catalogue, bool isOn, CancellationToken cancel)
    {
        var tenant = catalogue.Tenant.Id;
        if (catalogue.Workflows.FirstOrDefault(one => one.Name.ToString() == request.Given("workflow")) is not { } workflow)
            return Done(tenant, ChangeResult.NothingThere, "");
        if (workflow.Enabled == isOn)
            return Done(tenant, ChangeResult.AlreadySo, "");
        await administration.SaveAsync(tenant, workflow with { Enabled = isOn }, workflow, cancel);
        return Done(tenant, ChangeResult.Made, isOn ? "published" : "disabled");
    }

    private static async Task<PanelAnswer> ScheduleAsync(
        Hub hub, PanelRequest request, Auditor auditor, TenantId tenant, string action, CancellationToken cancel)
    {
        if (!ScheduleId.TryParse(request.Given("schedule"), out var id) || await hub.Schedules.FindAsync(id, cancel) is not { } schedule || schedule.Tenant != tenant)
            return Done(tenant, ChangeResult.NothingThere, "");
        var isPaused = schedule.PausedAt is not null;
        return action switch
        {
            "schedule-pause" when isPaused => Done(tenant, ChangeResult.AlreadySo, ""),
            "schedule-pause" => Done(tenant, Of(await hub.Schedules.PauseAsync(schedule, auditor, cancel)), "paused"),
            "schedule-resume" when !isPaused => Done(tenant, ChangeResult.AlreadySo, ""),
            "schedule-resume" => Done(tenant, Of(await hub.ResumptionBy(auditor).RunAsync(schedule, cancel)), "continued"),
            _ => Done(tenant, Of(await hub.Schedules.RemoveAsync(schedule, auditor, cancel)), "unscheduled"),
        };

        static ChangeResult Of(bool isMade) => isMade ? ChangeResult.Made : ChangeResult.NothingThere;
    }
}
