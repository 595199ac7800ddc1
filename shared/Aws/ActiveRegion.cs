using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Audit;

namespace ControlPlane.Aws;

/// <summary>Which region is active: it sweeps, and DNS stays with it. One item that every region has a copy of, written by an operator alone.</summary>
/// <remarks>Until somebody names one it is the primary, so that a control plane of one region needs no such item.</remarks>
/// <param name="table">That of the quotas, whose owners follow the same decision.</param>
/// <param name="primary">The region that is active while nobody has named another.</param>
public sealed class ActiveRegion(IAmazonDynamoDB dynamo, string table, string primary)
{
    private static Item Key => Items.Key("REGION", "ACTIVE");

    private static Item ProbeKey => Items.Key("REGION", "PROBE");

    /// <summary>As this region's copy has it.</summary>
    public async Task<string> NameAsync(CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = Key }, cancel);
        return answer.IsItemSet ? answer.Item.RequiredText("region") : primary;
    }

    /// <summary>Names the active region, in this region's copy.</summary>
    public async Task SetAsync(string region, Auditor auditor, DateTimeOffset now, CancellationToken cancel)
    {
        var name = new Put { TableName = table, Item = new(Key) { ["region"] = Items.Text(region), ["since"] = Items.Time(now) } };
        var record = auditor.Part("dr.takeover", null, region, AuditedValue.Of("active_region", await NameAsync(cancel), region));
        await dynamo.ChangeAsync(new() { Put = name }, record, TimeProvider.System, cancel);
    }

    /// <summary>Leaves a mark, to be looked for in another region's copy.</summary>
    public Task LeaveMarkAsync(string mark, CancellationToken cancel) =>
        dynamo.PutItemAsync(new() { TableName = table, Item = new(ProbeKey) { ["mark"] = Items.Text(mark) } }, cancel);

    /// <summary>The mark that has arrived here last; null before the first.</summary>
    public async Task<string?> FindMarkAsync(CancellationToken cancel)
    {
        var answer = await dynamo.GetItemAsync(new() { TableName = table, Key = ProbeKey }, cancel);
        return answer.IsItemSet ? answer.Item.OptionalText("mark") : null;
    }
}
