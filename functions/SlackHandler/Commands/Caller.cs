using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>Who asks, and for whom: the command, and the tenant that its workspace speaks for with everything it may run.</summary>
internal sealed record Caller(SlackCommand Command, TenantCatalogue Catalogue)
{
    /// <summary>Of the request that says it, as API Gateway names it.</summary>
    public string RequestId { get; init; } = "";

    public TenantId Tenant => Catalogue.Tenant.Id;

    /// <summary>What this user may run in this channel, by name.</summary>
    public IEnumerable<Workflow> Runnable => Catalogue.Workflows.Where(MayRunHere).OrderBy(workflow => workflow.Name.ToString(), StringComparer.Ordinal);

    /// <summary>The one rule of who may see and cancel an execution: who asked for it, who may run its workflow in this channel, and who approves it. For the
    /// others there is none.</summary>
    public bool MaySee(Execution execution) => IsOwn(execution) || MaySeeAll(execution.Workflow) || (RuleOf(execution) is { } rule && IsApprover(rule));

    /// <summary>By what rule an execution is approved: the catalogue's as it is now, else the one that it was made under.</summary>
    public ApprovalRule? RuleOf(Execution execution) => execution.Approval is { } then ? Find(execution.Workflow.ToString())?.Approval ?? then : null;

    /// <summary>Whether this user is one of the approvers that a rule names.</summary>
    public bool IsApprover(ApprovalRule rule) => rule.Names(Command.TeamId, Command.UserId, Catalogue.Groups);

    /// <summary>Whether the rule lets this user see every execution of a workflow, whoever asked for it. That it is switched off hides none.</summary>
    public bool MaySeeAll(WorkflowName name) => Find(name.ToString()) is { } workflow && MayRun(workflow) && workflow.PermitsChannel(Command.ChannelId);

    /// <remarks>A Slack user's id means somebody in one workspace only, and a tenant may have several.</remarks>
    public bool IsOwn(Execution execution) => execution.RequestedBy.Asker is { } by && by.UserId == Command.UserId && by.TeamId == Command.TeamId;

    /// <summary>Notes what this user's request changes.</summary>
    public Auditor AuditorOf(AuditTrail audit) => audit.For(Actor.OfSlack(Command.TeamId, Command.UserId), RequestId);

    public Workflow? Find(string name) => Catalogue.Workflows.FirstOrDefault(workflow => workflow.Name.ToString() == name);

    public bool MayRun(Workflow workflow) => workflow.PermitsUser(Command.TeamId, Command.UserId, Catalogue.Groups);

    /// <summary>What is in the way of running it here, whatever with, in the words of policy, which asks the same and decides. Null when nothing is.</summary>
    public string? InTheWayOf(Workflow workflow) =>
        !workflow.Enabled ? $"{workflow.Name} is switched off."
        : !MayRun(workflow) ? $"You may not run {workflow.Name}."
        : !workflow.PermitsChannel(Command.ChannelId) ? $"{workflow.Name} may not be run from this channel."
        : null;

    public bool MayRunHere(Workflow workflow) => workflow.Enabled && MayRun(workflow) && workflow.PermitsChannel(Command.ChannelId);
}
