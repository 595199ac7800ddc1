using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>Opens the modal that asks for a workflow's inputs.</summary>
internal sealed class AskForInputs(BotTokens tokens, SlackWebApi slack, ModalSeal seal, SlackHandlerEvents events)
{
    /// <returns>False where none opened: the workspace has no bot, or Slack took too long or refused. Then words have to do.</returns>
    public async Task<bool> OpenAsync(Caller caller, Workflow workflow, bool isPublic, DateTimeOffset sentAt, CancellationToken cancel)
    {
        var command = caller.Command;
        if (!RunModal.Fits(workflow) || await tokens.FindAsync(caller.Tenant, command.From, cancel) is not { } token)
            return false;
        var memory = new ModalMemory(workflow.Name.ToString(), command.ChannelId, command.Name, isPublic, sentAt, command.ResponseUrl);
        if (await seal.CloseAsync(memory, command.TeamId, command.UserId, cancel) is not { } metadata)
            return false;

        // Where no answer came the modal may be there all the same: words beside it do no harm.
        if ((await slack.OpenViewAsync(token, command.TriggerId, RunModal.ViewOf(workflow, metadata), cancel)).Fault is { } why)
        {
            events.ModalNotOpened(caller.Tenant, workflow.Name, why);
            return false;
        }
        events.ModalOpened(caller.Tenant, workflow.Name);
        return true;
    }
}
