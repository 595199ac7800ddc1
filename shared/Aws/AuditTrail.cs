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
    /// <param name="after">The last record of the page before; null from <paramref name="until"/> on.</param>
    public IAsyncEnumerable<AuditEntry> NewestAsync(
        TenantId? tenant, Actor? actor, DateTimeOffset since, DateTimeOffset until, CancellationToken cancel, AuditPlace? after = null)
    {
        if (after?.At < until)
            until = after.Value.At;
        var last = after is { } place ? SortKeyOf(place) : $"{Rfc3339.Format(until)}$";     // behind the '#' of those at that very millisecond
        var entries = (tenant, actor) switch
        {
            _ when until < since => AsyncEnumerable.Empty<Item>(),
            ({ } one, _) => dynamo.ItemsAsync(NewestFirst(ByTenant, "tenant_id", one.ToString(), since, last), cancel),
            (null, { } one) => dynamo.ItemsAsync(NewestFirst(ByActor, "actor", one.ToString(), since, last), cancel),
            _ => Days(since, until).ToAsyncEnumerable().SelectMany(day => dynamo.ItemsAsync(NewestFirst(null, "pk", day, since, last), cancel)),
        };
        return entries.Select(ToEntry).Where(entry => entry.Place != after && (tenant is null || actor is null || entry.Actor == actor));
    }

    /// <summary>Records a change that is no table's, before it is made.</summary>
    internal Task PutAsync(AuditEntry entry, CancellationToken cancel) => dynamo.PutItemAsync(PutOf(entry).ToRequest(), cancel);

    internal Put PutOf(AuditEntry entry) => new() { TableName = table, Item = Of(entry), ConditionExpression = "attribute_not_exists(pk)" };

    private static IEnumerable<string> Days(DateTimeOffset since, DateTimeOffset until)
    {
        for (var day = until.UtcDateTime.Date; day >= since.UtcDateTime.Date; day = day.AddDays(-1))
            yield return DayOf(day);
    }

    private QueryRequest NewestFirst(string? index, string key, string value, DateTimeOffset since, string last) => new()
    {
        TableName = table,
        IndexName = index,
        KeyConditionExpression = "#key = :key AND sk BETWEEN :since AND :last",
        ExpressionAttributeNames = new() { ["#key"] = key },
        ExpressionAttributeValues = new()
        {
            [":key"] = Items.Text(value),
            [":since"] = Items.Time(since),
            [":last"] = Items.Text(last),
        },
        ScanIndexForward = false,
    };

    private static string DayOf(DateTime day) => day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private static string SortKeyOf(AuditPlace place) => $"{Rfc3339.Format(place.At)}#{place.Id}";

    internal static Item Of(AuditEntry entry)
    {
        var item = Items.Key(DayOf(entry.At.UtcDateTime), SortKeyOf(entry.Place));
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
