using System.Diagnostics;
using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.Lambda.Core;
using Amazon.Lambda.SQSEvents;
using Amazon.Runtime;
using Amazon.SQS;
using ControlPlane.Aws.Logs;
using ControlPlane.DpDispatcher;
using ControlPlane.Executions;
using ControlPlane.Http;

namespace ControlPlane.Bench.Dispatch;

/// <summary>One function process: batches of ten, one after the other, as the event source hands them over.</summary>
internal sealed class DispatchBench
{
    private const int BatchSize = 10;

    private readonly DispatchFunction _function;
    private readonly int _tenants;
    private long _number;

    public DispatchBench(int enginePort, int tenants)
    {
        _tenants = tenants;
        var clock = TimeProvider.System;
        var events = new DispatcherEvents(new JsonLog(Stream.Null, clock), clock);      // as costly as standard output but for the pipe
        var credentials = new BasicAWSCredentials("a", "b");
        var dynamo = new AmazonDynamoDBClient(
            credentials, new AmazonDynamoDBConfig { ServiceURL = "http://127.0.0.1:1", HttpClientFactory = new StubClients(new StubDynamo()) });
        var sqs = new AmazonSQSClient(credentials, new AmazonSQSConfig { ServiceURL = "http://127.0.0.1:1" });
        var routes = ConnectRoutes.Parse(string.Join(',', Enumerable.Range(1, tenants).Select(n => $"{AddressOf($"tenant-{n}")}:5678=127.0.0.1:{enginePort}")));
        var dispatchExecution = new DispatchExecution(
            new(dynamo, "executions", "quotas", clock), new(dynamo, "tenants"), new(DispatchLimits.Default, routes, clock), new(clock),
            new(sqs, "http://127.0.0.1:1/q", DomainJson.Default.Notification), events, clock);
        _function = new(dispatchExecution, new MessagePauses(sqs, "http://127.0.0.1:1/q", events), events, clock);
    }

    public static string AddressOf(string tenant) => $"10.{99 + int.Parse(tenant.AsSpan("tenant-".Length), CultureInfo.InvariantCulture)}.128.10";

    /// <summary>The tenant is written into the execution's id, so that the stub can tell it back.</summary>
    public static string TenantOf(string executionId) => $"tenant-{int.Parse(executionId.AsSpan(5, 3), CultureInfo.InvariantCulture)}";

    public async Task RunAsync(TimeSpan duration)
    {
        await RunForAsync(TimeSpan.FromSeconds(2));         // warm-up
        Console.WriteLine($"{Environment.ProcessorCount} cores, {(File.Exists(Path.Combine(AppContext.BaseDirectory, "ControlPlane.Bench.Dispatch.dll")) ? "JIT" : "Native AOT")}, {_tenants} tenants, engine answers in 5 ms, each table call takes 2 ms");
        Console.WriteLine("  second  dispatches/s  batch p50  p95  p99 ms  working set MiB  heap MiB  CPU %");
        for (var left = duration; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(5))
        {
            var (cpu, started) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
            var batches = await RunForAsync(TimeSpan.FromSeconds(5));
            var took = Stopwatch.GetElapsedTime(started);
            using var process = Process.GetCurrentProcess();
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {(duration - left).TotalSeconds + 5,6:F0}  {batches.Count * BatchSize / took.TotalSeconds,12:F0}  {At(batches, 50),9:F1}  {At(batches, 95):F1}  {At(batches, 99):F1}  {process.WorkingSet64 / 1048576.0,18:F1}  {GC.GetTotalMemory(false) / 1048576.0,8:F1}  {100 * (Environment.CpuUsage.TotalTime - cpu) / took,5:F0}"));
        }
    }

    private async Task<List<double>> RunForAsync(TimeSpan duration)
    {
        var batches = new List<double>();
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < duration;)
        {
            var batch = new SQSEvent { Records = [.. Enumerable.Range(0, BatchSize).Select(_ => Message())] };
            var before = Stopwatch.GetTimestamp();
            var answer = await _function.DispatchAsync(batch, new Context());
            batches.Add(Stopwatch.GetElapsedTime(before).TotalMilliseconds);
            if (answer.BatchItemFailures.Count > 0)
                throw new InvalidOperationException("A dispatch failed: the numbers would mean nothing.");
        }
        batches.Sort();
        return batches;
    }

    private SQSEvent.SQSMessage Message()
    {
        var number = _number++;
        var tenant = (number % _tenants) + 1;
        var id = string.Create(CultureInfo.InvariantCulture, $"exec_{tenant:D3}{number:D29}");
        return new()
        {
            MessageId = "m",
            ReceiptHandle = "r",
            Body = $$"""{"schema":"{{DispatchRequest.SchemaV1}}","execution_id":"{{id}}","tenant_id":"tenant-{{tenant}}"}"""
        };
    }

    private static double At(List<double> sorted, int percent) => sorted[Math.Min(sorted.Count - 1, sorted.Count * percent / 100)];

    private sealed class Context : ILambdaContext
    {
        public string AwsRequestId => "";
        public IClientContext? ClientContext => null;
        public string FunctionName => "";
        public string FunctionVersion => "";
        public ICognitoIdentity? Identity => null;
        public string InvokedFunctionArn => "";
        public ILambdaLogger Logger => throw new NotSupportedException();
        public string LogGroupName => "";
        public string LogStreamName => "";
        public int MemoryLimitInMB => 512;
        public TimeSpan RemainingTime => TimeSpan.FromSeconds(30);
    }
}
