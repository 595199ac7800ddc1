using System.CommandLine;
using System.Text.Json;
using ControlPlane.Administration;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>workflow …</c>: a tenant's catalogue, which is all that its users can run.</summary>
internal static class WorkflowCommands
{
    public static Command Build(Runner runner) =>
        new("workflow", "A tenant's catalogue: what its users may run.") { Publish(runner), List(runner), Disable(runner) };

    private static Command Publish(Runner runner)
    {
        var (id, name) = (TypedArguments.Tenant(), TypedArguments.Workflow());
        var path = TypedArguments.Optional<WebhookPath>(
            "--path", "PATH", "The path of the engine's webhook; the workflow's name when left out.", WebhookPath.TryParse, text =>
                $"{text} is no path: 1 to 64 of A-Z, a-z, 0-9, _ and -.");
        var parameters =
            new Option<WorkflowParameter[]>("--param")
            {
                Description = $"What it takes: {ParameterText.Grammar}. May be repeated.",
                HelpName = "SPEC",
                CustomParser = ReadParameters
            };
        var deadline = TypedArguments.Optional(
            "--deadline", "60m", $"From the request to the moment it is timed out; {Duration.Format(Workflow.DefaultDeadline)} when left out, {Duration.Format(Workflow.LongestDeadline)} at most.",
            (string text, out TimeSpan time) => Duration.TryParse(text, out time) && time >= ShortestDeadline && time <= Workflow.LongestDeadline,
            text =>
                $"{text} is no deadline: say one from {Duration.Format(ShortestDeadline)} to {Duration.Format(Workflow.LongestDeadline)}, like 60m or 1h30m.");
        var idempotent = new Option<bool>("--idempotent") { Description = "The engine may be handed the same execution twice without harm: lost answers are then sent again." };
        var users = TypedArguments.Users("--allow-user", "A Slack user who may run it; everyone in the workspace when nobody is named. May be repeated.");
        var groups = TypedArguments.Groups("--allow-group", "A group (./ctl group set) that may run it. May be repeated.");
        var channels = TypedArguments.Channels("--allow-channel", "A Slack channel it may be run from; any when none is named. May be repeated.");
        var approvers = TypedArguments.Groups("--approve-by-group", "A group (./ctl group set) whose members approve each execution before it begins. May be repeated.");
        var asked = TypedArguments.Text("--approve-in", "C…", "The channel where they are asked, T…/C… where there are several workspaces. The app has to be a member of it.", 64);
        var approvals = TypedArguments.Count("--approvals", "How many of them have to.", 1, ApprovalRule.MostApprovals);
        var selfApproval = new Option<bool>("--self-approval") { Description = "Whoever asks for it may be one of them." };
        var within = TypedArguments.Optional(
            "--approve-within", "24h", $"For how long it waits for them; {Duration.Format(ApprovalRule.DefaultWithin)} when left out, {Duration.Format(ApprovalRule.LongestWithin)} at most.",
            (string text, out TimeSpan time) => Duration.TryParse(text, out time) && time >= ShortestDeadline && time <= ApprovalRule.LongestWithin,
            text => $"{text} is no time to wait: say one from {Duration.Format(ShortestDeadline)} to {Duration.Format(ApprovalRule.LongestWithin)}, like 24h.");

        return runner.Runs(
            new("publish", "Puts a workflow into the catalogue, or another definition in place of the one there.") { id, name, path, parameters, deadline,
                idempotent, users, groups, channels, approvers, asked, approvals, selfApproval, within },
            async (hub, given, cancel) =>
            {
                var workflow = new Workflow(
                    given.GetRequiredValue(name), given.GetValue(path) ?? WebhookPath.Of(given.GetRequiredValue(name)), given.GetValue(parameters) ?? [],
                    given.GetValue(deadline) ?? Workflow.DefaultDeadline,
                    given.GetValue(idempotent), Enabled: true, given.GetValue(users) ?? [], given.GetValue(groups) ?? [],
                    [.. (given.GetValue(channels) ?? []).Select(ChannelId.Parse)]);
                var tenant = given.GetRequiredValue(id);
                if (given.GetValue(approvers) is { Length: > 0 } byGroups)
                {
                    var (place, unclear) = await SlackPlace.OfAsync(hub, tenant, given.GetValue(asked), cancel);
                    if (unclear is not null)
                        return unclear;
                    if (place is not { Team: { } team, Channel: { } channel })
                        return new Answer.NotDone("--approve-by-group needs --approve-in: the channel where they are asked, C… or T…/C….");
                    workflow = workflow with
                    {
                        Approval = new(
                            byGroups, team, channel, given.GetValue(approvals), given.GetValue(selfApproval),
                            given.GetValue(within) ?? ApprovalRule.DefaultWithin),
                    };
                }
                else if (given.GetValue(asked) is not null)
                    return new Answer.NotDone("--approve-in needs --approve-by-group: whom to ask there.");
                return await PublishAsync(hub, tenant, workflow, cancel);
            });
    }

    // One attempt to dispatch must fit: the token's life is no bound from below.
    private static readonly TimeSpan ShortestDeadline = TimeSpan.FromMinutes(1);

    private static async Task<Answer> PublishAsync(ControlPlaneClient hub, TenantId tenant, Workflow workflow, CancellationToken cancel)
    {
        if (await hub.Tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
            return Refusals.NotRegistered(tenant);
        var named = workflow.AllowedGroups.Concat(workflow.Approval?.Groups ?? []);
        if (named.FirstOrDefault(group => catalogue.Groups.All(known => known.Name != group)) is { } missing)
            return new Answer.NotDone(
                $"{tenant} has no group {missing}, so it would lock everyone out: ./ctl group set {tenant} {missing} --user U… makes it.");

        var (users, refusal) = await SlackUsers.OfAsync(hub, tenant, workflow.AllowedUsers, cancel);
        if (refusal is not null)
            return refusal;
        workflow = workflow with { AllowedUsers = users };

        var before = catalogue.Workflows.FirstOrDefault(one => one.Name == workflow.Name);
        if (before is not null && Definition(before) == Definition(workflow))
            return Show("unchanged", tenant, workflow);
        await (await hub.AdministrationAsync(cancel)).SaveAsync(tenant, workflow, before, cancel);
        return Show(before is null ? "published" : "replaced", tenant, workflow);
    }

    private static Command List(Runner runner)
    {
        var id = TypedArguments.Tenant();
        return runner.Runs(new("list", "A tenant's workflows, the disabled ones too.") { id }, async (hub, given, cancel) =>
        {
            var tenant = given.GetRequiredValue(id);
            if (await hub.Tenants.CatalogueAsync(tenant, cancel) is not { } catalogue)
                return Refusals.NotRegistered(tenant);
            var workflows = catalogue.Workflows.OrderBy(workflow => workflow.Name.ToString(), StringComparer.Ordinal).Select(ViewMapper.Of).ToList();
            return Answer.Show(new WorkflowsView(tenant.ToString(), workflows), CtlJson.Default.WorkflowsView, page => page.Table(
                ["WORKFLOW", "STATE", new("PATH", 3), new("DEADLINE", 1), new("IDEMPOTENT", 4), Column.Prose("PARAMETERS"), Column.Prose("ALLOWED", 2)],
                workflows.Select(one => (string?[])
                [
                    one.Workflow, one.Enabled ? "enabled" : "disabled", one.Path, DisplayText.OfMilliseconds(one.DeadlineMs), one.Idempotent ? "yes" : "no",
                    string.Join(' ', one.Parameters), Allowed(one),
                ])));
        });
    }

    private static Command Disable(Runner runner)
    {
        var (id, name) = (TypedArguments.Tenant(), TypedArguments.Workflow());
        return runner.Runs(new("disable", "Refuses new executions of a workflow; what runs goes on. To enable it again, publish it again.") { id, name },
            async (hub, given, cancel) =>
        {
            var (tenant, workflow) = (given.GetRequiredValue(id), given.GetRequiredValue(name));
            if (await hub.Tenants.FindWorkflowAsync(tenant, workflow, cancel) is not { } there)
                return new Answer.NotDone($"{tenant} has no workflow {workflow}: ./ctl workflow list {tenant} shows those it has.");
            if (!there.Enabled)
                return Show("unchanged", tenant, there);
            var disabled = there with { Enabled = false };
            await (await hub.AdministrationAsync(cancel)).SaveAsync(tenant, disabled, there, cancel);
            return Show("disabled", tenant, disabled);
        });
    }

    private static WorkflowParameter[] ReadParameters(System.CommandLine.Parsing.ArgumentResult given)
    {
        var parameters = new List<WorkflowParameter>();
        foreach (var text in given.Tokens.Select(token => token.Value))
        {
            var (parameter, fault) = ParameterText.Parse(text);
            if (parameter is not null && parameters.Exists(other => other.Name == parameter.Name))
                fault = $"{parameter.Name} is declared twice";
            if (fault is not null)
                given.AddError($"--param {TypedArguments.Quote(text)}: {fault}.");
            else
                parameters.Add(parameter!);
        }
        return [.. parameters];
    }

    private static string Definition(Workflow workflow) => JsonSerializer.Serialize(workflow, DomainJson.Default.Workflow);

    private static Answer Show(string result, TenantId tenant, Workflow workflow)
    {
        var shown = new WorkflowChangeView(result, tenant.ToString(), ViewMapper.Of(workflow));
        return Answer.Show(shown, CtlJson.Default.WorkflowChangeView, page =>
        {
            page.Line(result switch
            {
                "published" => $"{workflow.Name} is published: /wf run {workflow.Name}{string.Concat(workflow.Parameters.Where(one => one.Required).Select(one => $" {one.Name}=…"))}",
                "replaced" => $"{workflow.Name} is published anew.",
                "disabled" => $"{workflow.Name} is disabled.",
                _ => $"{workflow.Name} was so before.",
            });
            page.Facts(
            [
                ("workflow", shown.Workflow.Workflow), ("tenant", shown.Tenant), ("path", $"/webhook/{shown.Workflow.Path}"),
                ("deadline", DisplayText.OfMilliseconds(shown.Workflow.DeadlineMs)),
                ("idempotent", shown.Workflow.Idempotent ? "yes" : "no"), ("allowed", Allowed(shown.Workflow)), ("approved", Approved(shown.Workflow)),
                .. shown.Workflow.Parameters.Select(one => ("parameter", (string?)one)),
            ]);
        });
    }

    private static string? Approved(WorkflowView workflow) => workflow.Approval is not { } rule
        ? null
        : $"by {rule.Approvals} of {string.Join(" or ", rule.Groups)} in {rule.Channel}, within {DisplayText.OfMilliseconds(rule.WithinMs)}{(rule.SelfApproval ? "; whoever asks too" : "")}";

    private static string Allowed(WorkflowView workflow) => string.Join(", ",
    [
        .. workflow.AllowedUsers.Count + workflow.AllowedGroups.Count == 0
            ? ["everyone"]
            : workflow.AllowedUsers.Concat(workflow.AllowedGroups.Select(group => $"group {group}")),
        .. workflow.AllowedChannels.Select(channel => $"in {channel}"),
    ]);
}
