using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>An execution and its dispatch order as items, both ways.</summary>
internal static class ExecutionItems
{
    public const string ExecutionKey = "EXECUTION";
    public const string OrderKey = "DISPATCH";

    /// <summary>How long an execution can be looked up.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(90);

    /// <summary>How long after its end an execution waits for its notification before the sweeper sends another.</summary>
    public static readonly TimeSpan ToldWithin = TimeSpan.FromSeconds(90);

    public const int DueShards = 4;

    public static Item KeyOf(ExecutionId id) => Items.Key(id.ToString(), ExecutionKey);

    public static Item OrderKeyOf(ExecutionId id) => Items.Key(id.ToString(), OrderKey);

    /// <summary>The partition of the sweeper's index: spreads the executions over a few, so that none runs hot.</summary>
    public static string DueShardOf(ExecutionId id) => (id.ToString()[^1] % DueShards).ToString(CultureInfo.InvariantCulture);

    /// <param name="dueAt">When the sweeper looks at it; null for one that has ended and of which nobody is to be told.</param>
    public static Item Of(Execution execution, DateTimeOffset? dueAt)
    {
        var item = KeyOf(execution.Id);
        item["tenant_id"] = Items.Text(execution.Tenant.ToString());
        item["digits"] = Items.Text(execution.Id.Digits);
        item["workflow"] = Items.Text(execution.Workflow.ToString());
        item["source"] = Items.Text(execution.RequestedBy.Source);
        switch (execution.RequestedBy)
        {
            case Requester.Slack slack:
                item["team_id"] = Items.Text(slack.TeamId.ToString());
                item["user_id"] = Items.Text(slack.UserId.ToString());
                item["channel_id"] = Items.Text(slack.ChannelId.ToString());
                if (slack.OrganisationId is { } organisation)
                    item["organisation_id"] = Items.Text(organisation.ToString());
                break;
            case Requester.Operator by:
                item["caller"] = Items.Text(by.Caller.ToString());
                break;
            case Requester.Schedule schedule:
                item["requested_by"] = Items.Json(schedule, DomainJson.Default.Requester);
                break;
            default:
                throw new UnreachableException();
        }
        item["public"] = Items.Flag(execution.IsPublic);
        item["idempotent"] = Items.Flag(execution.IsIdempotent);
        item["inputs"] = Items.Text(execution.Inputs.GetRawText());
        item["state"] = Items.Text(execution.State.Name);
        item["created_at"] = Items.Time(execution.CreatedAt);
        item["deadline_at"] = Items.Time(execution.DeadlineAt);
        item["month"] = Items.Text(execution.Month.ToString());
        if (dueAt is { } due)
        {
            item["due"] = Items.Text(DueShardOf(execution.Id));
            item["due_at"] = Items.Second(due);
        }
        if (execution.ToldAt is { } told)
            item["told_at"] = Items.Time(told);
        item["expires_at"] = Items.Second(execution.CreatedAt + Retention);
        if (execution.Decision is { } decision)
            item["decision"] = Items.Json(decision, DomainJson.Default.PolicyDecision);
        if (execution.FinishedAt is { } finished)
            item["finished_at"] = Items.Time(finished);
        if (execution.FailureCode is { } code)
            item["failure_code"] = Items.Text(code.Code);
        if (execution.Approval is { } rule)
            item["approval"] = Items.Json(rule, DomainJson.Default.ApprovalRule);
        return item;
    }

    public static Execution ToExecution(Item item) => new()
    {
        Id = ExecutionId.Parse(item.RequiredText("pk")),
        Tenant = TenantId.Parse(item.RequiredText("tenant_id")),
        Workflow = WorkflowName.Parse(item.RequiredText("workflow")),
        RequestedBy = ToRequester(item),
        State = ExecutionStates.Parse(item.RequiredText("state")),
        CreatedAt = item.RequiredTime("created_at"),
        DeadlineAt = item.RequiredTime("deadline_at"),
        Month = Month.Parse(item.RequiredText("month")),
        Approval = item.OptionalJson("approval", DomainJson.Default.ApprovalRule),
        Approvals = [.. item.Texts("approvals").Select(word => JsonSerializer.Deserialize(word, DomainJson.Default.Approval)!)],
        DeniedBy = item.OptionalJson("denied_by", DomainJson.Default.Approval),
        IsCharged = item.HasFlag("charged"),
        IsPublic = item.HasFlag("public"),
        IsIdempotent = item.HasFlag("idempotent"),
        Inputs = Parse(item.RequiredText("inputs")),
        Decision = item.OptionalJson("decision", DomainJson.Default.PolicyDecision),
        Attempts = [.. item.Texts("attempts").Select(attempt => JsonSerializer.Deserialize(attempt, DomainJson.Default.DispatchAttempt)!)],
        AttemptCount = (int)(item.OptionalNumber("attempt_count") ?? 0),
        LeaseUntil = item.OptionalTime("lease_until"),
        LeaseOwner = item.OptionalText("lease_owner"),
        FirstNotFoundAt = item.OptionalTime("first_not_found_at"),
        DispatchedAt = item.OptionalTime("dispatched_at"),
        StartedAt = item.OptionalTime("started_at"),
        FinishedAt = item.OptionalTime("finished_at"),
        Progress = item.TryGetValue("progress", out var progress) ? ToProgress(progress) : null,
        ProgressToldAt = item.OptionalTime("progress_told_at"),
        Outcome = item.OptionalJson("outcome", DomainJson.Default.Outcome),
        OutcomeHash = item.OptionalText("outcome_hash"),
        IsLate = item.HasFlag("late"),
        FailureCode = item.OptionalText("failure_code") is { } code ? DispatchFailures.Parse(code) : null,
        CancelledBy = item.OptionalText("cancelled_by"),
        ToldAt = item.OptionalTime("told_at"),
        IsUntellable = item.HasFlag("untellable"),
    };

    /// <summary>A percentage is a number, the engine's own words are a text.</summary>
    public static AttributeValue Of(Progress progress) => progress switch
    {
        Progress.Percent { Value: var percent } => Items.Number(percent),
        Progress.Words { Text: var text } => Items.Text(text),
        _ => throw new UnreachableException(),
    };

    private static Progress ToProgress(AttributeValue value) =>
        value.N is { } number ? new Progress.Percent(int.Parse(number, CultureInfo.InvariantCulture)) : new Progress.Words(value.S);

    private static Requester ToRequester(Item item) => item.RequiredText("source") switch
    {
        Requester.Slack.Name => new Requester.Slack(
            TeamId.Parse(item.RequiredText("team_id")), UserId.Parse(item.RequiredText("user_id")), ChannelId.Parse(item.RequiredText("channel_id")))
        { OrganisationId = item.OptionalText("organisation_id") is { } organisation ? TeamId.Parse(organisation) : null },
        Requester.Operator.Name => new Requester.Operator(OperatorId.Parse(item.RequiredText("caller"))),
        Requester.Schedule.Name when item.OptionalJson("requested_by", DomainJson.Default.Requester) is { } schedule => schedule,
        _ => throw new InvalidDataException("The execution does not say who asked for it."),
    };

    public static Item Of(DispatchOrder order)
    {
        var item = OrderKeyOf(order.Execution);
        item["tenant_id"] = Items.Text(order.Tenant.ToString());
        item["path"] = Items.Text(order.Path.ToString());
        item["body"] = Items.Bytes(order.Body);
        item["token"] = Items.Text(order.Token);
        if (order.OtherToken is { } other)
            item["other_token"] = Items.Text(other);
        item["token_expires_at"] = Items.Second(order.TokenExpiresAt);
        item["expires_at"] = Items.Second(order.TokenExpiresAt);
        return item;
    }

    public static DispatchOrder ToOrder(Item item) => new(
        ExecutionId.Parse(item.RequiredText("pk")),
        TenantId.Parse(item.RequiredText("tenant_id")),
        WebhookPath.Parse(item.RequiredText("path")),
        item.RequiredBytes("body"),
        item.RequiredText("token"),
        DateTimeOffset.FromUnixTimeSeconds(item.RequiredNumber("token_expires_at")),
        item.OptionalText("other_token"));

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
