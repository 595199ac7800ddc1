using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;

namespace ControlPlane.Local.Schedules;

/// <summary>EventBridge Scheduler: invokes a function again and again.</summary>
internal static partial class Schedule
{
    public static async Task TickAsync(
        TemplateEvent.Schedule schedule, string function, Func<byte[], Task<InvocationResult>> invokeAsync, TimeProvider clock, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Period(schedule.Expression), clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
                await invokeAsync(Encoding.UTF8.GetBytes(Event(function, clock.GetUtcNow()).ToJsonString())).WaitAsync(stop);
        }
        catch (OperationCanceledException) { }
    }

    /// <exception cref="NotSupportedException">Only rates are known here.</exception>
    internal static TimeSpan Period(string expression) =>
        Rate().Match(expression) is { Success: true } rate
            ? int.Parse(rate.Groups[1].Value, CultureInfo.InvariantCulture) * (
                rate.Groups[2].Value switch { "minute" => TimeSpan.FromMinutes(1), "hour" => TimeSpan.FromHours(1), _ => TimeSpan.FromDays(1) })
            : throw new NotSupportedException($"The schedule {expression} is not a rate.");

    internal static JsonObject Event(string function, DateTimeOffset now) => new()
    {
        ["version"] = "0",
        ["id"] = Guid.NewGuid().ToString(),
        ["detail-type"] = "Scheduled Event",
        ["source"] = "aws.scheduler",
        ["account"] = "000000000000",
        ["time"] = now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        ["region"] = "us-east-1",
        ["resources"] = new JsonArray($"arn:aws:scheduler:us-east-1:000000000000:schedule/default/{function}"),
        ["detail"] = "{}",
    };

    [GeneratedRegex(@"\Arate\(([1-9][0-9]*) (minute|hour|day)s?\)\z")]
    private static partial Regex Rate();
}
