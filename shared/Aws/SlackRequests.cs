using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Slack;
using ControlPlane.Tenants;

namespace ControlPlane.Aws;

/// <summary>Lets commands in: counts them against their minute, and knows a repeated request by the reply it left.</summary>
public sealed class SlackRequests(IAmazonDynamoDB dynamo, string rateLimits, ReplyStore replies, RateLimit limit, TimeProvider clock)
{
    // The counter of a minute is of no use after it; the rest is room for clocks that disagree.
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(10);

    /// <summary>Counts a command that starts nothing.</summary>
    public async Task<Admission> AdmitAsync(TenantId tenant, UserId user, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var isMade = await dynamo.UpdateItemAsync(Count(tenant, user, now).ToRequest(), cancel).IsMadeAsync();
        return isMade ? new Admission.Admitted() : TooMany(now);
    }

    /// <summary>Counts a command that orders an execution and notes where its answer goes, in one write: both, or neither.</summary>
    /// <remarks>A repeat is known by the note, so it is not counted again.</remarks>
    public async Task<Admission> AdmitAsync(UserId user, Reply reply, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var reasons = await dynamo.TryWriteAsync(
            new() { TransactItems = [new() { Update = Count(reply.Tenant, user, now) }, new() { Put = replies.PutNew(reply) }] }, clock, cancel);
        return reasons switch
        {
            null => new Admission.Admitted(),
            _ when reasons.FailedAt(1) => new Admission.Repeat(),
            _ => TooMany(now),
        };
    }

    private Update Count(TenantId tenant, UserId user, DateTimeOffset now) => new()
    {
        TableName = rateLimits,
        Key = new() { ["pk"] = Items.Text(string.Create(CultureInfo.InvariantCulture, $"{tenant}#{now.ToUnixTimeSeconds() / 60}")) },
        UpdateExpression = "SET expires_at = :end ADD #total :one, #user :one",
        ConditionExpression = "(attribute_not_exists(#total) OR #total < :tenant_limit) AND (attribute_not_exists(#user) OR #user < :user_limit)",
        ExpressionAttributeNames = new() { ["#total"] = "total", ["#user"] = $"u_{user}" },
        ExpressionAttributeValues = new()
        {
            [":one"] = Items.Number(1),
            [":tenant_limit"] = Items.Number(limit.PerTenant),
            [":user_limit"] = Items.Number(limit.PerUser),
            [":end"] = Items.Second(now + KeptFor),
        },
    };

    private static Admission.TooMany TooMany(DateTimeOffset now) => new(TimeSpan.FromSeconds(60 - now.ToUnixTimeSeconds() % 60));
}
