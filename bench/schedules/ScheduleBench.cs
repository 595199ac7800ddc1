using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Amazon.SQS.Model;
using ControlPlane.Audit;
using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Peering;
using ControlPlane.Local.Preparation;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;
using ControlPlane.Tenants;
using Sweep = ControlPlane.Local.Schedules.Schedule;

namespace ControlPlane.Bench.Schedules;

/// <summary>The sweeper as a process, over tables and queues that nobody else uses.</summary>
internal static class ScheduleBench
{
    private const string Sweeper = "SweeperFunction", Orders = "ExecutionRequestsQueue";
    private const int Tenants = 100;

    public static async Task<int> RunAsync(int count, string? published, CancellationToken cancel)
    {
        var clock = TimeProvider.System;
        var state = Directory.CreateTempSubdirectory("schedules-").FullName;
        try
        {
            await using var parts = new Parts();
            var (template, pace) = (TemplateReader.Read(Repository.Template), new Pace());
            var options = new RunOptions(state, 0, 0, Empty: true, new Dictionary<string, IPEndPoint>(), IPAddress.Loopback, published);
            var stores = await Stores.StartAsync(options, state, template, parts, pace, Console.WriteLine, clock, cancel);
            var eight = clock.GetUtcNow().AddSeconds(-10);
            Console.WriteLine($"{count} schedules are made …");
            await MakeAsync(stores, count, eight, clock, cancel);

            var nowhere = new Uri("http://127.0.0.1:9");
            var environment = new FunctionEnvironment(
                template, stores, options, nowhere, nowhere, new RoutingTable(IPAddress.Loopback, Path.Combine(state, "routes")),
                LocalAuthority.Create(state, clock), nowhere);
            var function = template.Functions.Single(one => one.Id == Sweeper);
            var program = published is null ? FunctionProgram.Built(Repository.Root, function.Project) : FunctionProgram.Published(published, function.Project);
            var sweeper = parts.Keep(await FunctionHost.StartAsync(function, program, environment.Of(function), _ => { }, pace, clock));
            await sweeper.Ready;

            Console.WriteLine(
                $"Each sweep may take {function.Timeout.TotalSeconds:0} s; {function.MemoryMegabytes} MB are {function.MemoryMegabytes / 1769.0:0.00} of a core.");
            Console.WriteLine();
            Console.WriteLine("| sweep | s | CPU s | ordered |\n|---|---:|---:|---:|");
            using var minutes = new PeriodicTimer(TimeSpan.FromMinutes(1), clock);
            for (var (sweep, ordered) = (1, 0); ordered < count; sweep++)
            {
                if (sweep > 1)
                    await minutes.WaitForNextTickAsync(cancel);
                var (began, before) = (clock.GetTimestamp(), CpuOf(sweeper));
                var tick = Encoding.UTF8.GetBytes(Sweep.Event(Sweeper, clock.GetUtcNow()).ToJsonString());
                var remark = await sweeper.InvokeAsync(tick) is InvocationResult.Answered ? "" : ", its time was over";
                ordered = await OrderedAsync(stores, cancel);
                var (taken, used) = (clock.GetElapsedTime(began), CpuOf(sweeper) - before);
                Console.WriteLine($"| {sweep} | {taken.TotalSeconds:0.0} | {used.TotalSeconds:0.0} | {ordered}{remark} |");
            }
            return 0;
        }
        finally { Directory.Delete(state, recursive: true); }
    }

    private static async Task MakeAsync(Stores stores, int count, DateTimeOffset plannedFor, TimeProvider clock, CancellationToken cancel)
    {
        var store = new ScheduleStore(stores.DynamoClient, stores.Tables["ExecutionsTable"], clock);
        var auditor = new AuditTrail(stores.DynamoClient, stores.Tables["AuditTable"], clock).For(Actor.Parse("local:bench"), "bench");
        var eight = new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancel };
        await Parallel.ForEachAsync(Enumerable.Range(0, count), eight, async (number, token) =>
        {
            var tenant = TenantId.Parse($"tenant-{number % Tenants + 1}");
            await store.TryAddAsync(
                new()
                {
                    Tenant = tenant,
                    Workflow = WorkflowName.Parse("wf_sched"),
                    Cron = "0 8 * * *",
                    Zone = "Europe/Berlin",
                    Inputs = JsonElement.Parse("""{"city":"Paris"}"""),
                    Owner = new(
                        ScheduleId.OfOperator(tenant, $"{number}"), Caller: null, TeamId.Parse("T0001"), UserId.Parse("U0001"), ChannelId.Parse("C0001")),
                    MadeAt = plannedFor.AddDays(-1),
                    NextAt = plannedFor,
                },
                auditor, token);
        });
    }

    private static TimeSpan CpuOf(FunctionHost function)
    {
        using var process = Process.GetProcessById(function.ProcessId!.Value);
        return process.TotalProcessorTime;
    }

    private static async Task<int> OrderedAsync(Stores stores, CancellationToken cancel)
    {
        var answer = await stores.QueueClient.GetQueueAttributesAsync(
            new GetQueueAttributesRequest { QueueUrl = stores.Queues[Orders].Url, AttributeNames = ["ApproximateNumberOfMessages"] }, cancel);
        return answer.ApproximateNumberOfMessages;
    }
}
