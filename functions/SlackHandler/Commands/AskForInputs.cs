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
        if (!RunModal.Fits(workflow) || await tokens.FindAsync(caller.Tenant, command.TeamId, cancel) is not { } token)
            return false;
        var memory = new ModalMemory(workflow.Name.ToString(), command.ChannelId, command.Name, isPublic, sentAt, command.ResponseUrl);
        if (await seal.CloseAsync(memory, command.TeamId, command.UserId, cancel) is not { } metadata)
            return false;

        switch (await slack.OpenViewAsync(token, command.TriggerId, RunModal.ViewOf(workflow, metadata), cancel))
        {
            case ApiAnswer<string>.Done:
                events.ModalOpened(caller.Tenant, workflow.Name);
                return true;
            case ApiAnswer<string>.Refused { Why: var why }:
                events.ModalNotOpened(caller.Tenant, workflow.Name, why);
                return false;
            case ApiAnswer<string>.TryLater { Why: var why }:
                // The modal may be there all the same: words beside it do no harm.
                events.ModalNotOpened(caller.Tenant, workflow.Name, why);
                return false;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }
}
