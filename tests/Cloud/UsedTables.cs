using System.Collections.Concurrent;
using System.Reflection;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Local.Template;
using Xunit.v3;

namespace ControlPlane.Tests.Cloud;

/// <summary>Tables that a test is done with, and that are emptied for another: to have new ones made each time took the tests of MeteringCollector half as
/// much processor time again.</summary>
internal sealed class UsedTables
{
    /// <summary>What a test left under way has come to its end by then.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(2);

    /// <summary>Whoever filled a table is not cleaned up after.</summary>
    private const int MostItems = 100;

    private const int MostAtOnce = 25;

    private static readonly ConcurrentDictionary<string, ConcurrentBag<(UsedTables Owner, TestTables Tables)>> Lent = new();

    private readonly Queue<(TestTables Tables, long At)> _resting = new();

    /// <summary>Those that a class shares, or that it still has when it is disposed of, stay its own.</summary>
    public void GiveBackAfterTest(TestTables tables)
    {
        if (TestContext.Current is { Test: { } test, TestClassInstance: not (IDisposable or IAsyncDisposable) })
            Lent.GetOrAdd(test.UniqueID, _ => []).Add((this, tables));
    }

    /// <returns>Null where there are none.</returns>
    public async Task<TestTables?> TryTakeAsync(CancellationToken cancel)
    {
        while (Rested() is { } tables)
        {
            if (await IsEmptiedAsync(tables, cancel))
                return tables;
        }
        return null;
    }

    internal static void TestIsOver(string test)
    {
        if (Lent.TryRemove(test, out var lent))
        {
            foreach (var (owner, tables) in lent)
                owner.Keep(tables);
        }
    }

    private void Keep(TestTables tables)
    {
        lock (_resting)
            _resting.Enqueue((tables, TimeProvider.System.GetTimestamp()));
    }

    private TestTables? Rested()
    {
        lock (_resting)
            return _resting.TryPeek(out var oldest) && TimeProvider.System.GetElapsedTime(oldest.At) >= Rest ? _resting.Dequeue().Tables : null;
    }

    private static async Task<bool> IsEmptiedAsync(TestTables tables, CancellationToken cancel)
    {
        var each = await Task.WhenAll(LocalCloud.Template.Tables.Select(async table =>
        {
            var name = tables.Names[table.Id];
            try
            {
                var found = await tables.Client.ScanAsync(new ScanRequest(name) { Limit = MostItems + 1, ConsistentRead = true }, cancel);
                if (found.LastEvaluatedKey is { Count: > 0 })
                    return false;
                foreach (var some in (found.Items ?? []).Chunk(MostAtOnce))
                {
                    var deletes = new BatchWriteItemRequest { RequestItems = new() { [name] = [.. some.Select(item => Delete(table, item))] } };
                    if ((await tables.Client.BatchWriteItemAsync(deletes, cancel)).UnprocessedItems is { Count: > 0 })
                        return false;
                }
                return true;
            }
            catch (ResourceNotFoundException) { return false; }             // the test took it away
        }));
        return Array.TrueForAll(each, isEmpty => isEmpty);
    }

    private static WriteRequest Delete(TemplateTable table, Dictionary<string, AttributeValue> item) =>
        new(new DeleteRequest(table.Keys.ToDictionary(key => key.Attribute, key => item[key.Attribute])));
}

/// <summary>Of every test of a project with tables: what it took is free when it is over.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class GivesTablesBackAttribute : BeforeAfterTestAttribute
{
    public override void After(MethodInfo methodUnderTest, IXunitTest test) => UsedTables.TestIsOver(test.UniqueID);
}
