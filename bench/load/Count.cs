using System.Globalization;
using Amazon.SQS.Model;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Local.Hub;
using ControlPlane.Quotas;

namespace ControlPlane.Load;

/// <summary>What there is at the end, counted from outside: by the tables, the engines and Slack, against what was sent.</summary>
internal sealed class Count(LocalControlPlane local, Estate estate, Commands commands, Heartbeats heartbeats, TimeProvider clock)
{
    // What an engine says of each run.
    private const long CpuMsOfOne = 1200;

    private readonly ExecutionStore _executions = new(local.DynamoClient, local.Tables["ExecutionsTable"], local.Tables["QuotasTable"], clock);
    private readonly QuotaLedger _ledger = new(local.DynamoClient, local.Tables["QuotasTable"]);
    private readonly InstanceStore _instances = new(local.DynamoClient, local.Tables["InstancesTable"], clock);
    private readonly Month _month = Month.Of(clock.GetUtcNow());

    public async Task<bool> IsSettledAsync(CancellationToken cancel)
    {
        if (commands.All.Any(typed => typed is { IsAcknowledged: true, Told: 0 }))
            return false;
        foreach (var tenant in estate.Tenants)
            if (await _ledger.ActiveAsync(tenant.Id, cancel) > 0)
                return false;
        return true;
    }

    /// <returns>Whether everything is as it should be; what is not is printed.</returns>
    public async Task<bool> TellAsync(CancellationToken cancel)
    {
        var wrong = new List<string>();
        var ends = new Dictionary<string, int>();
        var succeeded = estate.Tenants.ToDictionary(tenant => tenant, _ => 0L);
        foreach (var typed in commands.All)
        {
            var execution = await _executions.FindAsync(typed.Id, cancel);
            var end = execution?.State.Name ?? "never began";
            ends[end] = ends.GetValueOrDefault(end) + 1;
            if (execution?.State == ExecutionState.Succeeded)
                succeeded[typed.Tenant]++;
            if (typed.IsAcknowledged && execution is not { State.IsTerminal: true })
                wrong.Add($"{typed.Id} was acknowledged and is {end}");
            if (execution is not null && typed.Told != 1)
                wrong.Add($"{typed.Id} was told {typed.Told} times");
            if (typed.Ran > 1 || execution?.State == ExecutionState.Succeeded && typed.Ran != 1)
                wrong.Add($"{typed.Id} is {end} and ran {typed.Ran} times");
        }

        foreach (var tenant in estate.Tenants)
        {
            var month = await _ledger.MonthAsync(tenant.Id, _month, cancel);
            if ((month.Used, month.Reserved, month.Metered.CpuMs) != (succeeded[tenant], 0, succeeded[tenant] * CpuMsOfOne))
                wrong.Add($"{tenant.Id} used {month.Used} and {month.Metered.CpuMs} ms, holds {month.Reserved}; {succeeded[tenant]} succeeded");
            var plane = await _instances.OfTenantAsync(tenant.Id, _month, cancel);
            var sent = heartbeats.Instances.Where(instance => instance.Tenant == tenant).Sum(instance => instance.CpuMs);
            if (plane.Usage.CpuMs != sent)
                wrong.Add($"{tenant.Id}'s machines used {sent} ms of CPU, and {plane.Usage.CpuMs} are booked");
        }
        foreach (var (id, queue) in local.Queues.Where(queue => queue.Key.EndsWith("DeadLetters", StringComparison.Ordinal)))
            if (await LengthAsync(queue.Url, cancel) is not 0 and var length)
                wrong.Add($"{length} dead letters in {id}");

        var howTheyEnded = string.Join(", ", ends.OrderBy(end => end.Key, StringComparer.Ordinal).Select(end => $"{end.Value} {end.Key}"));
        Console.WriteLine($"{commands.All.Count()} commands: {howTheyEnded}; {commands.All.Count(typed => !typed.IsAcknowledged)} were not acknowledged.");
        foreach (var one in wrong.Take(20))
            Console.WriteLine($"WRONG: {one}");
        Console.WriteLine(wrong.Count == 0
            ? "Each was told once and ran once at most; quotas, usage and queues are exact."
            : string.Create(CultureInfo.InvariantCulture, $"{wrong.Count} things are wrong."));
        return wrong.Count == 0;
    }

    private async Task<int> LengthAsync(string url, CancellationToken cancel)
    {
        var answer = await local.QueueServer.NewClient().GetQueueAttributesAsync(
            new GetQueueAttributesRequest { QueueUrl = url, AttributeNames = ["ApproximateNumberOfMessages"] }, cancel);
        return answer.ApproximateNumberOfMessages;
    }
}
