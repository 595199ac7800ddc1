using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Hub;

namespace ControlPlane.Load;

/// <param name="Published">Where the functions were published; null runs the build output.</param>
/// <param name="Commands">A second.</param>
internal sealed record LoadPlan(string? Published, int Tenants, int Instances, double Commands, TimeSpan Length, bool Faults);

internal static class LoadBench
{
    private static readonly TimeSpan ToSettle = TimeSpan.FromMinutes(15), Between = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(LoadPlan plan, CancellationToken cancel)
    {
        var clock = TimeProvider.System;
        var folder = Directory.CreateTempSubdirectory("load-").FullName;
        try
        {
            await using var estate = Estate.Make(plan.Tenants, folder);
            var options = new RunOptions(
                Path.Combine(folder, "state"), Port: 0, PrivatePort: 0, Empty: true, estate.Lines, DemoData.Engine.Address, plan.Published, Machines: 0);
            await using var local = await LocalControlPlane.StartAsync(options, Say, clock, cancel);
            Say($"registering {plan.Tenants} tenants …");
            await estate.RegisterAsync(local, clock, cancel);
            using var heartbeats = new Heartbeats(local, estate, plan.Instances, clock);
            Say($"{plan.Instances} machines are heard of …");
            await heartbeats.BeginAsync(cancel);
            using var commands = new Commands(local, estate, SigningSecret(local), clock);

            Say(string.Create(CultureInfo.InvariantCulture, $"{plan.Commands} commands a second for {plan.Length.TotalSeconds:0} s …"));
            var faults = new Faults(local, estate, clock);
            var looks = ProcessCost.WatchAsync(local, plan.Length, clock, cancel);
            await Task.WhenAll(
                commands.TypeAsync(plan.Commands, plan.Length, cancel), heartbeats.BeatAsync(plan.Length, cancel),
                plan.Faults ? faults.MakeAsync(plan.Length, cancel) : Task.CompletedTask);
            Say("waiting until nothing is open …");
            var count = new Count(local, estate, commands, heartbeats, clock);
            var settling = clock.GetTimestamp();
            while (!await count.IsSettledAsync(cancel) && clock.GetElapsedTime(settling) < ToSettle)
                await Task.Delay(Between, clock, cancel);

            Console.WriteLine();
            Console.WriteLine(Head(plan, clock));
            Console.WriteLine();
            Console.WriteLine(Times.Head);
            foreach (var times in new[] { commands.Acknowledged, commands.Dispatched, commands.Told, heartbeats.Booked })
                Console.WriteLine(times.Row);
            Console.WriteLine();
            Console.WriteLine(ProcessCost.Table(await looks));
            if (plan.Faults)
                Console.WriteLine($"{faults.Kills} processes were killed; {heartbeats.Repeated} heartbeats were sent again.");
            return await count.TellAsync(cancel) ? 0 : 1;
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    private static void Say(string what) => Console.WriteLine(what);

    private static string Head(LoadPlan plan, TimeProvider clock)
    {
        var what = string.Create(
            CultureInfo.InvariantCulture, $"{plan.Tenants} tenants, {plan.Instances} machines, {plan.Commands} commands a second for {plan.Length.TotalSeconds:0} s");
        var how = $"{(plan.Published is null ? "just in time" : "Native AOT")}, one process a function";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{clock.GetUtcNow():d MMMM yyyy}: {what}{(plan.Faults ? ", with faults" : "")}; {how}; {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}.");
    }

    private static string SigningSecret(LocalControlPlane local)
    {
        using var secret = JsonDocument.Parse(local.Secrets.Vault.Get("SlackSecret", null, null).Text);
        return secret.RootElement.GetProperty("signing_secret").GetString()!;
    }
}
