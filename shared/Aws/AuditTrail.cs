using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Aws;

/// <summary>Who changed what. A record is put and never changed; a day is one partition.</summary>
public sealed class AuditTrail(IAmazonDynamoDB dynamo, string table, TimeProvider clock)
{
    private const string ByTenant = "by_tenant", ByActor = "by_actor";

    /// <summary>Notes what one request or command of somebody changes.</summary>
    /// <param name="requestId">Of the request or the command.</param>
    /// <param name="mail">As the identity provider gave it, where it did.</param>
    public Auditor For(Actor actor, string requestId, string? mail = null) => new(this, actor, requestId, clock, mail);

    /// <summary>Newest first, as far as they are asked for.</summary>
    /// <param name="tenant">Null for all, and the hub's own.</param>
    /// <param name="actor">Null for all.</param>
    /// <param name="until">Those at that moment or before.</param>
    public IAsyncEnumerable<AuditEntry> NewestAsync(
        TenantId? tenant, Actor? actor, DateTimeOffset since, DateTimeOffset until, CancellationToken cancel)
    {
        var entries = (tenant, actor) switch
        {
            _ when until < since => AsyncEnumerable.Empty<Item>(),
            ({ } one, _) => dynamo.ItemsAsync(NewestFirst(ByTenant, "tenant_id", one.ToString(), since, until), cancel),
            (null, { } one) => dynamo.ItemsAsync(NewestFirst(ByActor, "actor", one.ToString(), since, until), cancel),
            _ => Days(since, until).ToAsyncEnumerable().SelectMany(day => dynamo.ItemsAsync(NewestFirst(null, "pk", day, since, until), cancel)),
        };
        return entries.Select(ToEntry).Where(entry => tenant is null || actor is null || entry.Actor == actor);
    }

    /// <summary>Records a change that is no table's, before it is made.</summary>
    internal Task PutAsync(AuditEntry entry, CancellationToken cancel) => dynamo.PutItemAsync(PutOf(entry).ToRequest(), cancel);

    internal Put PutOf(AuditEntry entry) => new() { TableName = table, Item = Of(entry), ConditionExpression = "attribute_not_exists(pk)" };

    private static IEnumerable<string> Days(DateTimeOffset since, DateTimeOffset until)
    {
        for (var day = until.UtcDateTime.Date; day >= since.UtcDateTime.Date; day = day.AddDays(-1))
            yield return DayOf(day);
    }

    private QueryRequest NewestFirst(string? index, string key, string value, DateTimeOffset since, DateTimeOffset until) => new()
    {
        TableName = table,
        IndexName = index,
        KeyConditionExpression = "#key = :key AND sk BETWEEN :since AND :until",
        ExpressionAttributeNames = new() { ["#key"] = key },
        ExpressionAttributeValues = new()
        {
            [":key"] = Items.Text(value),
            [":since"] = Items.Time(since),
            [":until"] = Items.Text(Rfc3339.Format(until) + "$"),     // behind the '#' of those at that very millisecond
        },
        ScanIndexForward = false,
    };

    private static string DayOf(DateTime day) => day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    internal static Item Of(AuditEntry entry)
    {
        var item = Items.Key(DayOf(entry.At.UtcDateTime), $"{Rfc3339.Format(entry.At)}#{entry.Id}");
        item["at"] = Items.Time(entry.At);
        item["actor"] = Items.Text(entry.Actor.ToString());
        if (entry.Mail is { } mail)
            item["mail"] = Items.Text(mail);
        item["action"] = Items.Text(entry.Action);
        if (entry.Tenant is { } tenant)
            item["tenant_id"] = Items.Text(tenant.ToString());
        item["target"] = Items.Text(entry.Target);
        item["values"] = Items.Json(entry.Values, DomainJson.Default.IReadOnlyListAuditedValue);
        item["request_id"] = Items.Text(entry.RequestId);
        item["expires_at"] = Items.Second(entry.At + AuditEntry.Retention);
        return item;
    }

    private static AuditEntry ToEntry(Item item) => new(
        item.RequiredTime("at"), item.RequiredText("sk")[(item.RequiredText("sk").IndexOf('#', StringComparison.Ordinal) + 1)..],
        Actor.Parse(item.RequiredText("actor")), item.OptionalText("mail"), item.RequiredText("action"),
        item.OptionalText("tenant_id") is { } tenant ? TenantId.Parse(tenant) : null, item.RequiredText("target"),
        item.OptionalJson("values", DomainJson.Default.IReadOnlyListAuditedValue) ?? [], item.RequiredText("request_id"));
}
