using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;
using Amazon.DynamoDBv2;
using ControlPlane.Metering;

namespace ControlPlane.Aws;

/// <summary>The hub's census: one item, written anew by each sweep.</summary>
/// <remarks>Packed, it is a fifth as large: 156 tenants of the longest names that there are stay far below an item's 400 KB, and are read for a few
/// units.</remarks>
public sealed class CensusStore(IAmazonDynamoDB dynamo, string instances)
{
    private static readonly Item Key = Items.Key("HUB", "CENSUS");

    public Task SaveAsync(HubCensus census, CancellationToken cancel) => dynamo.PutItemAsync(new() { TableName = instances, Item = Of(census) }, cancel);

    /// <summary>The latest, as it was a moment ago.</summary>
    /// <returns>Null before the first sweep, and for one of a version that counted otherwise: its next sweep is a minute away.</returns>
    public async Task<HubCensus?> LatestAsync(CancellationToken cancel)
    {
        var found = await dynamo.FirstAsync(
            new()
            {
                TableName = instances,
                KeyConditionExpression = "pk = :hub AND sk = :census",
                ExpressionAttributeValues = new() { [":hub"] = Key["pk"], [":census"] = Key["sk"] },
            }, 1, cancel);
        return found is [var item] ? ToCensus(item) : null;
    }

    internal static Item Of(HubCensus census)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
        // No script reads it: letters stay letters.
        using (var json = new Utf8JsonWriter(gzip, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            JsonSerializer.Serialize(json, census, DomainJson.Default.HubCensus);
        return new(Key) { ["at"] = Items.Time(census.At), ["census"] = Items.Bytes(packed.ToArray()) };
    }

    private static HubCensus? ToCensus(Item item)
    {
        using var gzip = new GZipStream(new MemoryStream(item.RequiredBytes("census")), CompressionMode.Decompress);
        try
        {
            return JsonSerializer.Deserialize(gzip, DomainJson.Default.HubCensus);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
