using System.Diagnostics;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>approve</c> and <c>deny</c>: an approver's word on an execution that waits for it. To say it twice is to say it once.</summary>
/// <remarks>A yes only adds to those on record: whether they are enough, and whether policy still allows it, is seen to where its tokens are made. A no ends it
/// here.</remarks>
internal sealed class ApproveCommand(
    ExecutionLookup lookup, ExecutionStore executions, AuditTrail audit, MessageQueue<ApprovalGiven> approvals,
    MessageQueue<Notification> notifications, SlackHandlerEvents events, TimeProvider clock)
{
    public static readonly SlackMessage Unclear = SlackMessage.Private(
        SlackText.Of($":grey_question: Something on our side is too slow or failing, so I can't tell whether that was noted. Look with `status`, and try again: to say it twice does no harm."));

    public Task<SlackMessage> ApproveAsync(Caller caller, IReadOnlyList<Word> words, CancellationToken cancel) =>
        AnswerAsync(caller, words, $"{Verbs.Approve} exec_…", AddAsync, cancel);

    /// <param name="words">The execution, and why not in as many as they like.</param>
    public async Task<SlackMessage> DenyAsync(Caller caller, IReadOnlyList<Word> words, CancellationToken cancel)
    {
        var reason = ReasonIn(words.Skip(1));
        return reason?.Length > Approval.LongestReason
            ? SlackMessage.Private(
                SlackText.Of($":grey_question: A reason has at most {Approval.LongestReason} characters, and yours has {reason.Length}. Nothing was denied."))
            : await AnswerAsync(
                caller, [.. words.Take(1)], $"{Verbs.Deny} exec_… why not",
                (who, execution, rule, token) => EndAsync(who, execution, rule, reason, token), cancel);
    }

    private async Task<SlackMessage> AnswerAsync(
        Caller caller, IReadOnlyList<Word> words, string example, Func<Caller, Execution, ApprovalRule, CancellationToken, Task<SlackMessage>> answer,
        CancellationToken cancel)
    {
        if (words is not [{ Key: null, Value: var typed }])
            return Refusals.Usage(caller.Command.Name, example);
        return await lookup.FindAsync(caller, typed, cancel) switch
        {
            Lookup.Found { Execution: var execution } when caller.RuleOf(execution) is { } rule => await answer(caller, execution, rule, cancel),
            Lookup.Found { Execution: var execution } => NothingToApprove(execution),
            Lookup.OnItsWay => StatusCommand.OnItsWay,
            Lookup.Ambiguous => Refusals.Ambiguous(typed),
            _ => Refusals.NoSuchExecution(typed),
        };
    }

    private async Task<SlackMessage> AddAsync(Caller caller, Execution execution, ApprovalRule rule, CancellationToken cancel)
    {
        if (!caller.IsApprover(rule))
            return NotAnApprover(execution, rule);
        var yes = WordOf(caller);
        if (!rule.SelfApproval && Approvals.IsAsker(execution.RequestedBy, yes))
            return SlackMessage.Private(SlackText.Of($":no_entry: You asked for *{execution.Workflow.ToString()}* yourself: somebody else has to approve it."));

        var (move, from) = await Move.PursueAsync(
            execution, one => Waits(one) && !HasApproved(one, caller),
            one => executions.AddApprovalAsync(one, yes, IsEnough(With(one, yes), rule, caller), caller.AuditorOf(audit), cancel));
        switch (move)
        {
            case null when Waits(from):
                await SayAsync(from, cancel);                               // the first time it may not have been heard
                return Noted(from, rule, caller);
            case null:
                return Over(from);
            case Move.Moved:
                var approved = With(from, yes);
                events.ApprovalGiven(from, caller.Command.UserId, approved.Approvals.Count);
                await SayAsync(approved, cancel);
                return Noted(approved, rule, caller);
            case Move.Unknown:
                return Refusals.NoSuchExecution(from.Id.ToString());
            case Move.Lost:
                return Unclear;
            default:
                throw new UnreachableException();
        }
    }

    private async Task<SlackMessage> EndAsync(Caller caller, Execution execution, ApprovalRule rule, string? reason, CancellationToken cancel)
    {
        if (!caller.IsApprover(rule))
            return NotAnApprover(execution, rule);
        var word = WordOf(caller) with { Reason = reason };
        var (move, from) = await Move.PursueAsync(
            execution, Waits, one => executions.DenyAsync(one, Approvals.Denied(one.Decision, word), word, caller.AuditorOf(audit), cancel));
        switch (move)
        {
            case null:
                return from.DeniedBy is { } no && IsBy(no, caller) ? Ended(from) : Over(from);
            case Move.Moved moved:
                if (!moved.IsBooked)
                    events.Unbooked(from);
                events.ApprovalRefused(from, caller.Command.UserId);
                // It is denied whether or not this message leaves; the sweeper finds those of whom nobody was told.
                await events.UnlessSentAsync(from.Id, () => notifications.NotifyAsync(from.Id, from.Tenant, cancel));
                return Ended(from);
            case Move.Unknown:
                return Refusals.NoSuchExecution(from.Id.ToString());
            case Move.Lost:
                return Unclear;
            default:
                throw new UnreachableException();
        }
    }

    // It is on record whether or not this message leaves: the sweeper finds what waits though it has its approvals.
    private Task SayAsync(Execution execution, CancellationToken cancel) =>
        events.UnlessSentAsync(execution.Id, () => approvals.ApprovedAsync(execution.Id, execution.Tenant, execution.Approvals.Count, cancel));

    private static Execution With(Execution execution, Approval yes) => execution with { Approvals = [.. execution.Approvals, yes] };

    private static bool HasApproved(Execution execution, Caller caller) => execution.Approvals.Any(one => IsBy(one, caller));

    private static bool IsEnough(Execution execution, ApprovalRule rule, Caller caller) =>
        rule.AreEnough(execution.Approvals, execution.RequestedBy, caller.Catalogue.Groups);

    private Approval WordOf(Caller caller) => new(caller.Command.TeamId, caller.Command.UserId, clock.GetUtcNow());

    private static string? ReasonIn(IEnumerable<Word> words)
    {
        var typed = Plain.Text(string.Join(' ', words.Select(word => word.Key is null ? word.Value : $"{word.Key}={word.Value}")));
        return Invisible.IsBlank(typed) ? null : Invisible.Trim(typed);
    }

    private static bool IsBy(Approval word, Caller caller) => (word.TeamId, word.UserId) == (caller.Command.TeamId, caller.Command.UserId);

    // After its time it is denied as soon as the sweeper comes.
    private bool Waits(Execution execution) => execution.State == ExecutionState.AwaitingApproval && clock.GetUtcNow() < execution.DeadlineAt;

    private static SlackMessage Noted(Execution execution, ApprovalRule rule, Caller caller) => SlackMessage.Private(
        IsEnough(execution, rule, caller)
            ? SlackText.Of($":white_check_mark: You approved *{execution.Workflow.ToString()}*. It begins, if policy still allows it.")
            : SlackText.Of($":white_check_mark: You approved *{execution.Workflow.ToString()}*. It takes {rule.Approvals} approvals."),
        Block.SmallPrint(SlackText.Code(execution.Id.ToString())));

    private static SlackMessage Ended(Execution execution) => SlackMessage.Private(
        SlackText.Of($":no_entry: You denied *{execution.Workflow.ToString()}*. It does not begin, and does not count."),
        Block.SmallPrint(SlackText.Code(execution.Id.ToString())));

    private static SlackMessage Over(Execution execution) => SlackMessage.Private(
        execution.State == ExecutionState.AwaitingApproval
            ? SlackText.Of($"The time to approve *{execution.Workflow.ToString()}* is over.")
            : SlackText.Of($"There is nothing left to approve. {ExecutionText.Headline(execution)}"),
        Block.SmallPrint(ExecutionText.SmallPrint(execution)));

    private static SlackMessage NothingToApprove(Execution execution) => SlackMessage.Private(
        SlackText.Of($"*{execution.Workflow.ToString()}* needs nobody's approval. {ExecutionText.Headline(execution)}"),
        Block.SmallPrint(ExecutionText.SmallPrint(execution)));

    private static SlackMessage NotAnApprover(Execution execution, ApprovalRule rule) => SlackMessage.Private(
        SlackText.Of($":no_entry: *{execution.Workflow.ToString()}* is approved by {string.Join(" or ", rule.Groups)}, and you are not one of them."));
}
