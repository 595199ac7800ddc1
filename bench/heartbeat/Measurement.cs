using System.Diagnostics;
using System.Globalization;
using Amazon.Lambda.Core;

namespace ControlPlane.Bench;

/// <param name="CpuMicroseconds">Of this process, user and system, for one.</param>
internal sealed record Measurement(string What, double CpuMicroseconds, double P50, double P99)
{
    public string Row => string.Create(CultureInfo.InvariantCulture, $"| {What} | {CpuMicroseconds:F0} | {P50:F0} | {P99:F0} | {P99 / P50:F1} |");

    /// <param name="one">Gets 0, 1, 2, … through warm-up and measurement.</param>
    public static async Task<Measurement> OfAsync(string what, int warmUp, int count, Func<int, Task> one)
    {
        for (var n = 0; n < warmUp; n++)
            await one(n);
        GC.Collect();

        var times = new double[count];
        var cpu = Environment.CpuUsage.TotalTime;
        for (var n = 0; n < count; n++)
        {
            var start = Stopwatch.GetTimestamp();
            await one(warmUp + n);
            times[n] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }
        cpu = Environment.CpuUsage.TotalTime - cpu;
        Array.Sort(times);
        return new(what, cpu.TotalMicroseconds / count, times[count / 2], times[count * 99 / 100]);
    }
}

/// <summary>An invocation with time to spare.</summary>
internal sealed class Invocation : ILambdaContext
{
    public string AwsRequestId => "bench";
    public IClientContext? ClientContext => null;
    public string FunctionName => "heartbeats";
    public string FunctionVersion => "1";
    public ICognitoIdentity? Identity => null;
    public string InvokedFunctionArn => "arn:aws:lambda:us-east-1:000000000000:function:heartbeats";
    public ILambdaLogger Logger => throw new NotSupportedException();
    public string LogGroupName => "bench";
    public string LogStreamName => "bench";
    public int MemoryLimitInMB => 512;
    public TimeSpan RemainingTime => TimeSpan.FromSeconds(10);
}
