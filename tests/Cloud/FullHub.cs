using System.Globalization;
using System.Text.Json;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Cloud;

/// <summary>A hub at its fullest, written straight into its tables: every tenant that there can be, each with a machine, and ten thousand executions of the
/// last hours.</summary>
public static class FullHub
{
    public const int Count = 10_000;

    private const int WritesAtOnce = 4, ItemsInWrite = 25;

    public static readonly IReadOnlyList<TenantId> Tenants =
        [.. Enumerable.Range(1, TenantId.Highest).Select(n => TenantId.Parse(string.Create(CultureInfo.InvariantCulture, $"tenant-{n}")))];

    private static readonly string[] Trades = ["Foundry", "Logistics", "Robotics", "Pharma", "Optics", "Energy", "Mills", "Analytics", "Seeds", "Marine"];

    /// <param name="kept">A tenant that is there already, and stays as it is but for its executions.</param>
    /// <returns>The executions in the order of their list.</returns>
    public static async Task<IReadOnlyList<Execution>> WriteAsync(
        IAmazonDynamoDB dynamo, string tenants, string executions, string instances, DateTimeOffset now, CancellationToken cancel, TenantId? kept = null)
    {
        // Four of every fourth second, each of another tenant.
        List<Execution> all =
        [
            .. Enumerable.Range(0, Count).Select(i => Execution(
                    ExecutionId.Of("T0007", $"{i}"), Tenants[i * 7 % Tenants.Count], ExecutionStates.All[i % ExecutionStates.All.Count],
                    now.AddSeconds(-(i / 4) * 4), i % 5 == 0 ? "forecast" : "report", user: $"U{i % 50}"))
                .OrderByDescending(one => one.CreatedAt).ThenBy(one => $"{one.Id}", StringComparer.Ordinal),
        ];
        await WriteAsync(dynamo, tenants, Tenants.Where(tenant => tenant != kept).Select(tenant => TenantRegistry.Of(TenantOf(tenant))), cancel);
        await WriteMachinesAsync(dynamo, instances, now, cancel, kept);
        // Without a place in the index of what is due: no sweeper ends what was never begun.
        await WriteAsync(dynamo, executions, all.Select(one => ExecutionItems.Of(one, dueAt: null)), cancel);
        return all;
    }

    /// <summary>A machine of each tenant: most report, every ninth is late, every thirteenth silent.</summary>
    public static Task WriteMachinesAsync(IAmazonDynamoDB dynamo, string instances, DateTimeOffset now, CancellationToken cancel,
        TenantId? kept = null) => WriteAsync(
        dynamo, instances,
        Tenants.Where(tenant => tenant != kept).Select(tenant => InstanceItems.Of(new InstanceState
        {
            Tenant = tenant,
            Instance = InstanceId.Parse(string.Create(CultureInfo.InvariantCulture, $"i-{tenant.Number:x17}")),
            Epoch = now.ToUnixTimeSeconds() - 86_400,
            Counter = 1_440,
            BodyHash = "00",
            Base = ComputeTime.Zero,
            Totals = new(tenant.Number * 1_000_000L, tenant.Number * 250_000L),
            Month = Month.Of(now),
            AtMonthStart = ComputeTime.Zero,
            SampledAt = now,
            LastSeen = now.AddSeconds(tenant.Number % 13 == 0 ? -600 : tenant.Number % 9 == 0 ? -120 : -20),
            FirstSeen = now.AddDays(-1),
        })), cancel);

    public static Execution Execution(
        ExecutionId id, TenantId tenant, ExecutionState state, DateTimeOffset at, string workflow = "report", string inputs = "{}", string user = "U0001") => new()
        {
            Id = id,
            Tenant = tenant,
            Workflow = WorkflowName.Parse(workflow),
            RequestedBy = Requesters.OfSlack("T0007", user),
            State = state,
            CreatedAt = at,
            DeadlineAt = at + TimeSpan.FromHours(1),
            Month = Month.Of(at),
            Inputs = JsonElement.Parse(inputs),
            FinishedAt = state.IsTerminal ? at + TimeSpan.FromSeconds(90) : null,
            ToldAt = state.IsTerminal ? at + TimeSpan.FromSeconds(91) : null,
            Decision = new(true, "allowed", "Allowed.", [new("tenant active", Judgement.Allow, "tenant_active", "The tenant is active.")]),
        };

    /// <summary>Many items at once.</summary>
    public static Task WriteAsync(IAmazonDynamoDB dynamo, string table, IEnumerable<Dictionary<string, AttributeValue>> items, CancellationToken cancel) =>
        Parallel.ForEachAsync(
            items.Select(item => new WriteRequest { PutRequest = new() { Item = item } }).Chunk(ItemsInWrite),
            new ParallelOptions { MaxDegreeOfParallelism = WritesAtOnce, CancellationToken = cancel }, async (some, token) =>
            {
                var answer = await dynamo.BatchWriteItemAsync(new Dictionary<string, List<WriteRequest>> { [table] = [.. some] }, token);
                Assert.Empty(answer.UnprocessedItems ?? new());
            });

    private static Tenant TenantOf(TenantId id)
    {
        Assert.True(EngineAddress.TryParse($"10.{99 + id.Number}.128.10", id, allowPublicSubnet: false, out var engine));
        return new(id, $"{Trades[id.Number % Trades.Length]} {id.Number} of Port Number {id.Number * 7919 % 1000}", TenantStatus.Active, engine, false, TenantLimits.Default);
    }
}
