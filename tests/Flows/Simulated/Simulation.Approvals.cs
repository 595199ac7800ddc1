using System.Text.Json.Nodes;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>A workflow that has to be approved, and people who say yes, no, both, twice, too late or nothing, by button and typed; one of them may
/// leave.</summary>
internal sealed partial class Simulation
{
    public const string ApproversChannel = "COPS";

    private const string Approved = "wf_approved", Leaver = "UA";

    private static readonly string[] Approvers = [Leaver, "UB", "UC", User], AcceptingWords = ["Working on", "needs approval by", "runs at"];

    private readonly ApprovalRule _approval;
    private int _read;

    private static ApprovalRule RuleOf(int seed, Defect defect) => new(
        ["ops"], TeamId.Parse(Workspace), ChannelId.Parse(ApproversChannel), seed % 3 == 0 || defect == Defect.CountsWhoLeft ? 2 : 1, SelfApproval: false,
        TimeSpan.FromMinutes(4));

    private async Task PrepareApprovalsAsync(TenantRegistry registry)
    {
        var name = WorkflowName.Parse(Approved);
        await registry.SaveAsync(
            Tenant, new Workflow(name, WebhookPath.Of(name), [], Deadline, Idempotent: false, Enabled: true, [], [], [])
            {
                Approval = _approval with { SelfApproval = _defect == Defect.LetsAskersApprove },
            }, Cancel);
        await SetApproversAsync(Approvers);
        if (_random.Next(4) == 0 || _defect == Defect.CountsWhoLeft)
            _agenda.In(Seconds(60, 240), () => SetApproversAsync(Approvers[1..]));
    }

    private Task SetApproversAsync(IReadOnlyList<string> users)
    {
        _trace.Add($"{_clock.Now - _start:mm\\:ss\\.f} approvers are {string.Join(", ", users)}");
        _books.Approvers = new(_approval.Groups[0], users);
        return new TenantRegistry(_tables.Client, _tables.Tenants).SaveAsync(Tenant, _books.Approvers, Cancel);
    }

    /// <summary>Whoever sees the question has a word on it, or none. Some type it without having been asked.</summary>
    private void LetApproversRead()
    {
        for (; _read < _slack.Taken.Count; _read++)
            if (_slack.Taken[_read] is { Asks: true } asked)
            {
                var button = asked.Message["blocks"]!.AsArray().Last()!["elements"]!.AsArray().First();
                LetApproversDecide(ExecutionId.Parse((string)button!["value"]!), asked);
            }
    }

    private void LetApproversDecide(ExecutionId execution, Post asked)
    {
        foreach (var user in Approvers.Append("UX").Where(_ => _random.Next(5) < 2))
        {
            var verb = _random.Next(5) == 0 ? "deny" : "approve";
            var request = Type($"{verb} {execution}", starts: false, user, _random.Next(3) == 0 ? null : asked);
            _agenda.In(Seconds(1, 280), () => PostAsync(request));
            if (_random.Next(4) == 0)
                _agenda.In(Seconds(1, 280), () => PostAsync(request));
        }
    }

    private static JsonObject PressOf(Request request)
    {
        var words = request.Text.Split(' ');
        return new()
        {
            ["type"] = "block_actions",
            ["user"] = new JsonObject { ["id"] = request.User, ["team_id"] = Workspace },
            ["team"] = new JsonObject { ["id"] = Workspace },
            ["container"] = new JsonObject { ["type"] = "message", ["message_ts"] = "1700000000.000100", ["channel_id"] = ApproversChannel },
            ["channel"] = new JsonObject { ["id"] = ApproversChannel },
            ["trigger_id"] = request.Trigger,
            ["response_url"] = $"https://hooks.slack.com{request.ReplyPath.Replace("/commands/", "/actions/", StringComparison.Ordinal)}",
            ["actions"] = new JsonArray(new JsonObject { ["type"] = "button", ["action_id"] = words[0], ["value"] = words[1] }),
        };
    }

    // ---- the end ----

    private async Task CheckApprovalsAsync()
    {
        var records = await new AuditTrail(_tables.Client, _tables.Audit, _clock).NewestAsync(Tenant, null, _start.AddHours(-1), _clock.Now.AddHours(1), Cancel)
            .Where(one => one.Action is "execution.approve" or "execution.deny").ToListAsync(Cancel);
        foreach (var execution in _books.Executions.Where(one => one.Approval is not null))
        {
            var words = execution.Approvals.Append(execution.DeniedBy).OfType<Approval>().Select(word => $"slack:{word.TeamId}/{word.UserId}").Order();
            var written = records.Where(one => one.Target == execution.Id.ToString()).Select(one => one.Actor.ToString()).Order().ToList();
            if (!words.SequenceEqual(written))
                throw new Broken("APPROVAL", $"{execution.Id} has the words of {string.Join(", ", words)}, and those of {string.Join(", ", written)} are on record.");
            CheckQuestionOf(execution);
        }
    }

    private void CheckQuestionOf(Execution execution)
    {
        var asked = _slack.Taken.Where(post => post.Asks && post.Text.Contains(execution.Id.Short, StringComparison.Ordinal)).ToList();
        if (asked.Count(post => post.IsSure && !_excused.Contains(post)) > 1)
            throw new Broken("APPROVAL", $"approvers were asked {asked.Count} times about {execution.Id}.");
        // Whoever decides before that may have typed it.
        var waitedUntil = execution.Decision?.Code == Approvals.Expired(null).Code ? execution.FinishedAt : null;
        if (asked.Count == 0 && waitedUntil > _start + FaultsFor + 2 * Minute)
            throw new Broken("APPROVAL", $"nobody was asked about {execution.Id}, and it expired.");
    }

    // ---- defects, planted so that the checks are seen to find them ----

    private bool Waits(ExecutionId id) => _books.Executions.Any(one => one.Id == id && one.State == ExecutionState.AwaitingApproval);

    /// <summary>Approvers as somebody remembered them.</summary>
    private Task PlantBeforeAsync(Delivery message) =>
        _defect == Defect.CountsWhoLeft && message.Queue == "ExecutionRequestsQueue" && !_books.Approvers.Users.Contains(Leaver)
            ? new TenantRegistry(_tables.Client, _tables.Tenants).SaveAsync(Tenant, _books.Approvers with { Users = Approvers }, Cancel)
            : Task.CompletedTask;

    private async Task PlantApprovalAsync(Delivery message)
    {
        if (message.Queue != "ExecutionRequestsQueue" || ExecutionId.Parse(Named(message.Body)) is var id && !Waits(id))
            return;
        if (_defect == Defect.BeginsUnapproved)
            await ChangeAsync(_tables.Executions, ExecutionItems.KeyOf(id), "SET #state = :value", Items.Text(ExecutionState.Queued.Name));
        if (_defect == Defect.MakesTokensEarly)
            await ChangeAsync(_tables.Executions, ExecutionItems.OrderKeyOf(id), "SET early = :value", Items.Text("early"));
    }

    private Task PlantDenialAsync(Request request, string? answer) =>
        _defect == Defect.KeepsWhatWasDenied && answer?.Contains("You denied", StringComparison.Ordinal) == true
            ? ChangeAsync(_tables.Quotas, Items.Key(Tenant.ToString(), $"MONTH#{Month.Of(_start)}"), "ADD charged :value", Items.Number(1))
            : Task.CompletedTask;
}
