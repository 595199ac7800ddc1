using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Aws;

/// <summary>Tickets to install the app with, installations under way, and the bot tokens that came of them, beside the links of workspaces.</summary>
public sealed class SlackInstallations(IAmazonDynamoDB dynamo, string table, TimeProvider clock)
{
    private const string Token = "bot_token";

    public Task AddAsync(InstallTicket ticket, Auditor auditor, CancellationToken cancel) => dynamo.ChangeAsync(
        new() { Put = new() { TableName = table, Item = Of(ticket), ConditionExpression = "attribute_not_exists(pk)" } },
        auditor.Part(
            "slack.invite", ticket.Tenant, OneTimeCode.IdOf(ticket.Hash), AuditedValue.Of("expires_at", null, Rfc3339.Format(ticket.ExpiresAt))),
        clock, cancel);

    /// <summary>A tenant's tickets, used ones and those that are too old included while they are kept; newest first.</summary>
    public async Task<IReadOnlyList<InstallTicket>> TicketsOfAsync(TenantId tenant, CancellationToken cancel)
    {
        var items = await dynamo.ItemsAsync(new()
        {
            TableName = table,
            IndexName = "owned",
            KeyConditionExpression = "#owner = :owner AND begins_with(pk, :prefix)",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new() { [":owner"] = Items.Text(tenant.ToString()), [":prefix"] = Items.Text("TICKET#") },
        }, cancel).ToListAsync(cancel);
        return [.. items.Select(ToTicket).OrderByDescending(ticket => ticket.CreatedAt)];
    }

    /// <summary>Takes a ticket back before it was used.</summary>
    public Task<ChangeResult> WithdrawAsync(TenantId tenant, string hash, Auditor auditor, CancellationToken cancel) =>
        new TenantRegistry(dynamo, table).TakeBackAsync(
            TicketKeyOf(hash), tenant, auditor.Part("slack.revoke", tenant, OneTimeCode.IdOf(hash), AuditedValue.Of("state", "open", null)), clock, cancel);

    public async Task<InstallTicket?> FindTicketAsync(string hash, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = TicketKeyOf(hash), ConsistentRead = true }, cancel);
        return answer.IsItemSet ? ToTicket(answer.Item) : null;
    }

    public Task BeginAsync(InstallAttempt attempt, CancellationToken cancel)
    {
        var item = AttemptKeyOf(attempt.StateHash);
        item["browser"] = Items.Text(attempt.BrowserHash);
        item["ticket"] = Items.Text(attempt.TicketHash);
        item["expires_at"] = Items.Second(clock.GetUtcNow() + InstallAttempt.Lifetime);
        return dynamo.PutItemAsync(new() { TableName = table, Item = item, ConditionExpression = "attribute_not_exists(pk)" }, cancel);
    }

    /// <summary>Takes an installation under way, once. Another browser than the one that began it does not get it, nor does it spoil it.</summary>
    /// <returns>The ticket's hash; null when there is none such.</returns>
    public async Task<string?> TakeAsync(string stateHash, string browserHash, CancellationToken cancel)
    {
        try
        {
            var answer = await dynamo.DeleteItemAsync(new()
            {
                TableName = table,
                Key = AttemptKeyOf(stateHash),
                ConditionExpression = "browser = :browser AND expires_at > :now",
                ExpressionAttributeValues = new()
                {
                    [":browser"] = Items.Text(browserHash),
                    [":now"] = Items.Number(clock.GetUtcNow().ToUnixTimeSeconds()),
                },
                ReturnValues = ReturnValue.ALL_OLD,
            }, cancel);
            return answer.Attributes.RequiredText("ticket");
        }
        catch (ConditionalCheckFailedException)
        {
            return null;
        }
    }

    /// <summary>Uses the ticket up, links the workspace to its tenant and keeps the token in the place of an older one: all, or none.</summary>
    public async Task<Installed> CompleteAsync(
        InstallTicket ticket, SealedToken token, UserId botUser, UserId installedBy, Auditor auditor, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var use = new Update
        {
            TableName = table,
            Key = TicketKeyOf(ticket.Hash),
            UpdateExpression = "SET used_at = :now, used_by = :workspace",
            ConditionExpression = "#owner = :tenant AND attribute_not_exists(used_at) AND expires_at > :second",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new()
            {
                [":tenant"] = Items.Text(ticket.Tenant.ToString()),
                [":now"] = Items.Time(now),
                [":second"] = Items.Number(now.ToUnixTimeSeconds()),
                [":workspace"] = Items.Text(token.WorkspaceId.ToString()),
            },
        };
        var link = new Update
        {
            TableName = table,
            Key = TenantRegistry.LinkKeyOf(token.WorkspaceId),
            UpdateExpression = $"SET #owner = :tenant, {Token} = :token, bot_user = :bot, installed_by = :by, installed_at = :now",
            ConditionExpression = "attribute_not_exists(pk) OR #owner = :tenant",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new()
            {
                [":tenant"] = Items.Text(ticket.Tenant.ToString()),
                [":token"] = Items.Bytes(token.Sealed),
                [":bot"] = Items.Text(botUser.ToString()),
                [":by"] = Items.Text(installedBy.ToString()),
                [":now"] = Items.Time(now),
            },
        };
        var tenantIsThere = new ConditionCheck
        {
            TableName = table,
            Key = TenantRegistry.ProfileKeyOf(ticket.Tenant),
            ConditionExpression = "attribute_exists(pk) AND #status <> :deleting",
            ExpressionAttributeNames = new() { ["#status"] = "status" },
            ExpressionAttributeValues = new() { [":deleting"] = Items.Text(TenantAdministration.Deleting) },
        };

        var record = auditor.Part(
            "slack.install", ticket.Tenant, $"{token.WorkspaceId}", AuditedValue.Of("invitation", null, OneTimeCode.IdOf(ticket.Hash)),
            AuditedValue.Of("bot_user", null, $"{botUser}"));
        var reasons = await dynamo.TryWriteAsync(
            new() { TransactItems = [new() { Update = use }, new() { Update = link }, new() { ConditionCheck = tenantIsThere }, record] }, clock, cancel);
        return reasons switch
        {
            null => new Installed.Now(ticket.Tenant),
            _ when reasons.FailedAt(0) => new Installed.TicketGone(),
            _ when reasons.FailedAt(1) => new Installed.WorkspaceTaken(),
            _ => new Installed.TenantGone(),
        };
    }

    /// <summary>The token with which the bot speaks in a workspace: the workspace's own, else the one of its organisation.</summary>
    /// <param name="organisation">The workspace's, as Slack said with the request; null where it did not: then the tenant's only one is meant, and of several
    /// none.</param>
    public async Task<SealedToken?> FindTokenAsync(TenantId tenant, TeamId team, TeamId? organisation, CancellationToken cancel)
    {
        var (isTheirs, own) = await TokenOfAsync(tenant, team, cancel);
        if (!isTheirs || own is not null)
            return own;
        if (organisation is { } given)
            return (await TokenOfAsync(tenant, given, cancel)).Token;
        var organisations = await dynamo.ItemsAsync(new()
        {
            TableName = table,
            IndexName = "owned",
            KeyConditionExpression = "#owner = :owner AND begins_with(pk, :organisations)",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new() { [":owner"] = Items.Text(tenant.ToString()), [":organisations"] = Items.Text("SLACK#E") },
        }, cancel).ToListAsync(cancel);
        return organisations.Select(TokenIn).OfType<SealedToken>().ToList() is [var only] ? only : null;
    }

    /// <returns>Whether the workspace is nobody else's, and its token where it has one.</returns>
    private async Task<(bool IsTheirs, SealedToken? Token)> TokenOfAsync(TenantId tenant, TeamId workspace, CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = TenantRegistry.LinkKeyOf(workspace) }, cancel);
        if (!answer.IsItemSet)
            return (true, null);
        return answer.Item.RequiredText("owner") == tenant.ToString() ? (true, TokenIn(answer.Item)) : (false, null);
    }

    /// <summary>Every token of a tenant.</summary>
    public async Task<IReadOnlyList<SealedToken>> TokensOfAsync(TenantId tenant, CancellationToken cancel) =>
        [.. (await dynamo.ItemsAsync(new()
        {
            TableName = table,
            IndexName = "owned",
            KeyConditionExpression = "#owner = :owner AND begins_with(pk, :prefix)",
            ExpressionAttributeNames = new() { ["#owner"] = "owner" },
            ExpressionAttributeValues = new() { [":owner"] = Items.Text(tenant.ToString()), [":prefix"] = Items.Text("SLACK#") },
        }, cancel).ToListAsync(cancel)).Select(TokenIn).OfType<SealedToken>()];

    /// <summary>Writes the same token sealed anew.</summary>
    /// <returns>False when it is another by now, or gone.</returns>
    public async Task<bool> ReplaceAsync(TenantId tenant, SealedToken before, byte[] anew, Auditor auditor, CancellationToken cancel)
    {
        var seal = new Update
        {
            TableName = table,
            Key = TenantRegistry.LinkKeyOf(before.WorkspaceId),
            UpdateExpression = $"SET {Token} = :anew",
            ConditionExpression = $"{Token} = :before",
            ExpressionAttributeValues = new() { [":anew"] = Items.Bytes(anew), [":before"] = Items.Bytes(before.Sealed) },
        };
        return await dynamo.TryChangeAsync(new() { Update = seal }, auditor.Part("slack.reseal", tenant, $"{before.WorkspaceId}"), clock, cancel) is null;
    }

    /// <summary>Forgets a workspace's token, as Slack said that it has ended. The link stays: it says whose the workspace is.</summary>
    /// <param name="endedAt">By Slack's clock: a word that was long on its way does not end a token that is newer.</param>
    public async Task<ChangeResult> EndTokenAsync(TeamId workspace, DateTimeOffset endedAt, Auditor auditor, CancellationToken cancel)
    {
        // Whose the workspace is, for the record: that does not change while it has a token.
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = TenantRegistry.LinkKeyOf(workspace) }, cancel);
        if (!answer.IsItemSet)
            return ChangeResult.NothingThere;
        var end = new Update
        {
            TableName = table,
            Key = TenantRegistry.LinkKeyOf(workspace),
            UpdateExpression = $"REMOVE {Token}, bot_user",
            ConditionExpression = $"attribute_exists({Token}) AND installed_at <= :ended",
            ExpressionAttributeValues = new() { [":ended"] = Items.Time(endedAt) },
        };
        var record = auditor.Part(
            "slack.uninstall", TenantId.Parse(answer.Item.RequiredText("owner")), $"{workspace}", AuditedValue.Of("bot_token", "there", null));
        return await dynamo.TryChangeAsync(new() { Update = end }, record, clock, cancel) is null ? ChangeResult.Made : ChangeResult.NothingThere;
    }

    private static Item TicketKeyOf(string hash) => Items.Key($"TICKET#{hash}", "TICKET");

    private static Item AttemptKeyOf(string stateHash) => Items.Key($"STATE#{stateHash}", "STATE");

    private static SealedToken? TokenIn(Item link) =>
        link.ContainsKey(Token) ? new(TeamId.Parse(link.RequiredText("pk")["SLACK#".Length..]), link.RequiredBytes(Token)) : null;

    private static Item Of(InstallTicket ticket)
    {
        var item = TicketKeyOf(ticket.Hash);
        item["owner"] = Items.Text(ticket.Tenant.ToString());
        item["created_at"] = Items.Time(ticket.CreatedAt);
        item["expires_at"] = Items.Second(ticket.ExpiresAt);
        return item;
    }

    private static InstallTicket ToTicket(Item item) => new(
        item.RequiredText("pk")["TICKET#".Length..],
        TenantId.Parse(item.RequiredText("owner")),
        item.RequiredTime("created_at"),
        DateTimeOffset.FromUnixTimeSeconds(item.RequiredNumber("expires_at")),
        item.OptionalTime("used_at"),
        item.OptionalText("used_by") is { } workspace ? TeamId.Parse(workspace) : null);
}
