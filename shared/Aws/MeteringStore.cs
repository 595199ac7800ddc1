using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Aws;

/// <summary>The samples of the last thirty days, a tenant's in the order they were taken.</summary>
public sealed class MeteringStore(IAmazonDynamoDB dynamo, string table, TimeProvider clock)
{
    // A write unit is a kilobyte. Sixteen GPUs' gauges take three as text and fit one when packed.
    private const int LongestText = 400;
    private const int LongestUnpacked = 64 * 1024;

    /// <summary>Keeps a sample. Putting it again changes nothing: the same heartbeat always makes the same item.</summary>
    public Task PutAsync(MeteringRecord record, CancellationToken cancel) => dynamo.PutItemAsync(new() { TableName = table, Item = Of(record) }, cancel);

    /// <summary>A tenant's samples since a time, oldest first.</summary>
    public async IAsyncEnumerable<MeteringRecord> SinceAsync(
        TenantId tenant, DateTimeOffset since, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var query = new QueryRequest
        {
            TableName = table,
            KeyConditionExpression = "pk = :tenant AND sk >= :since",
            ExpressionAttributeValues = new() { [":tenant"] = Items.Text(tenant.ToString()), [":since"] = Items.Time(since) },
        };
        await foreach (var item in dynamo.ItemsAsync(query, cancel))
            if (!item.IsExpiredAt(clock.GetUtcNow()))
                yield return ToRecord(item);
    }

    private static Item Of(MeteringRecord record)
    {
        var item = Items.Key(
            record.Tenant.ToString(),
            string.Create(CultureInfo.InvariantCulture, $"{Rfc3339.Format(record.SampledAt)}#{record.Instance}#{record.Epoch}#{record.Counter}"));
        item["interval_s"] = Items.Number((long)record.Interval.TotalSeconds);
        item["cpu_ms"] = Items.Number(record.Totals.CpuMs);
        item["gpu_ms"] = Items.Number(record.Totals.GpuMs);
        item["metrics"] = record.Metrics.Length <= LongestText ? Items.Text(record.Metrics) : Items.Bytes(Pack(record.Metrics));
        item["key_id"] = Items.Text(record.KeyId.ToString());
        item["expires_at"] = Items.Second(record.SampledAt + MeteringRecord.Retention);
        return item;
    }

    private static MeteringRecord ToRecord(Item item)
    {
        var name = item.RequiredText("sk").Split('#');
        return new(
            TenantId.Parse(item.RequiredText("pk")),
            InstanceId.Parse(name[1]),
            long.Parse(name[2], CultureInfo.InvariantCulture),
            long.Parse(name[3], CultureInfo.InvariantCulture),
            Rfc3339.Parse(name[0]),
            TimeSpan.FromSeconds(item.RequiredNumber("interval_s")),
            new(item.RequiredNumber("cpu_ms"), item.RequiredNumber("gpu_ms")),
            item.IsText("metrics") ? item.RequiredText("metrics") : Unpack(item.RequiredBytes("metrics")),
            KeyId.Parse(item.RequiredText("key_id")));
    }

    private static byte[] Pack(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(bytes.Length)];
        return BrotliEncoder.TryCompress(bytes, packed, out var length, quality: 5, window: 16)
            ? packed[..length]
            : throw new InvalidDataException("The gauges could not be packed.");
    }

    private static string Unpack(byte[] packed)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(LongestUnpacked);
        try
        {
            return BrotliDecoder.TryDecompress(packed, bytes, out var length)
                ? Encoding.UTF8.GetString(bytes.AsSpan(0, length))
                : throw new InvalidDataException("The packed gauges cannot be read.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
