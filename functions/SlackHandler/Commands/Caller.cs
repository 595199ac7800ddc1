using ControlPlane.Executions;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>Who asks, and for whom: the command, and the tenant that its workspace speaks for with everything it may run.</summary>
internal sealed record Caller(SlackCommand Command, TenantCatalogue Catalogue)
{
    public TenantId Tenant => Catalogue.Tenant.Id;

    /// <summary>What this user may run in this channel, by name.</summary>
    public IEnumerable<Workflow> Runnable => Catalogue.Workflows.Where(MayRunHere).OrderBy(workflow => workflow.Name.ToString(), StringComparer.Ordinal);

    public bool MayRun(Workflow workflow) => workflow.PermitsUser(Command.UserId, Catalogue.Groups);

    /// <summary>Whether an execution is this user's business: they asked for it, or may run its workflow. Others see that it is there and how it stands.</summary>
    public bool IsConcernedBy(Execution execution) =>
        execution.RequestedBy.UserId == Command.UserId
        || Catalogue.Workflows.FirstOrDefault(workflow => workflow.Name == execution.Workflow) is { } found && MayRun(found);

    public bool MayRunHere(Workflow workflow) => workflow.Enabled && MayRun(workflow) && workflow.PermitsChannel(Command.ChannelId);
}
