using System.CommandLine;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Recovery;
using ControlPlane.Operator.Running;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>dr …</c>: which of two regions is active, and how the other becomes it. Tables are all that it reads and writes, so that it needs nothing of a
/// region that is gone.</summary>
internal static class DisasterRecoveryCommands
{
    private const string Primary = "us-east-1", Standby = "us-west-2";

    private static readonly TimeSpan StandardWait = TimeSpan.FromMinutes(2);

    public static Command Build(Runner runner)
    {
        var standby = new Option<string>("--standby-region")
        {
            Description = "The second region; --region is the first.",
            HelpName = "REGION",
            DefaultValueFactory = _ => Standby,
            Recursive = true,
        };
        var standbyState = new Option<string?>("--standby-state")
        {
            Description = "With --state: the state folder of the ./run that plays the second region.",
            HelpName = "DIR",
            Recursive = true,
        };
        var domain = new Option<string?>("--domain")
        {
            Description = "The public domain, to ask each region's /health and who answers Slack.",
            HelpName = "DOMAIN",
            Recursive = true,
        };
        return new("dr", "Disaster recovery: the active region sweeps, writes the ledgers, and holds DNS.")
        {
            standby, standbyState, domain, Status(), Failover(), Failback(),
        };

        Command Status() => runner.RunsOnBoth(
            new("status", "Which region is active, and how both stand."), Primary, standby, standbyState, async (first, second, given, cancel) =>
        {
            var name = given.GetValue(domain);
            var looks = (first.LookAsync(first.Region, name, cancel), second.LookAsync(first.Region, name, cancel));
            var serves = await RegionSide.HealthAsync(name is null ? null : new($"https://api.{name}/health"), cancel);
            return Show(first, await looks.Item1, second, await looks.Item2, serves?.Region);
        });

        Command Failover()
        {
            var (plan, wait) = (Plan(), Wait());
            var lost = new Option<bool>("--lost") { Description = "The first region is gone: do not wait for it. What it wrote last may be missing." };
            return runner.RunsOnBoth(
                new("failover", "Makes the second region the active one. DNS follows, and stays.") { plan, lost, wait }, Primary, standby, standbyState,
                (first, second, given, cancel) => TakeOverAsync(
                    new(first, second, first.Region, given.GetValue(wait), runner.Clock), first, second, given.GetValue(domain), given.GetValue(plan),
                    given.GetValue(lost), cancel));
        }

        Command Failback()
        {
            var (plan, wait) = (Plan(), Wait());
            return runner.RunsOnBoth(
                new("failback", "Makes the first region the active one again, once it is well and has every copy.") { plan, wait },
                Primary, standby, standbyState, (first, second, given, cancel) => TakeOverAsync(
                    new(second, first, first.Region, given.GetValue(wait), runner.Clock), second, first, given.GetValue(domain), given.GetValue(plan),
                    isLost: false, cancel));
        }

        static Option<bool> Plan() => new("--plan") { Description = "Show what would be done, and leave it." };

        static Option<TimeSpan> Wait() => new("--wait")
        {
            Description = "How long copies may take, like 2m.",
            HelpName = "TIME",
            DefaultValueFactory = _ => StandardWait,
            CustomParser = given => TypedArguments.Read<TimeSpan>(given, Duration.TryParse, text => $"{text} is no time: 90s, 5m, 1h."),
        };
    }

    private static async Task<Answer> TakeOverAsync(
        Takeover takeover, RegionSide from, RegionSide to, string? domain, bool isPlan, bool isLost, CancellationToken cancel)
    {
        var looks = (from.LookAsync(takeover.Primary, domain, cancel), to.LookAsync(takeover.Primary, domain, cancel));
        var (source, target) = (await looks.Item1, await looks.Item2);
        if (!target.Answers)
            return new Answer.NotDone($"Nothing was changed: {to.Region} cannot take over. {target.Fault}");
        if (target.Health is { IsWell: false })
            return new Answer.NotDone($"Nothing was changed: {to.Region} cannot take over, its /health does not say ok.");
        if (!source.Answers && !isLost)
            return new Answer.NotDone(from.Region == takeover.Primary
                ? $"Nothing was changed: {from.Region} does not answer ({source.Fault}) When it is gone for good or for long, say --lost."
                : $"Nothing was changed: {from.Region} does not answer, and what it wrote may not be here yet. {source.Fault}");

        if (isPlan)
            takeover.Plan(source, target, isLost);
        else if (await takeover.RunAsync(source, isLost, cancel) is { } why)
            return new Answer.NotDone(why);

        return Answer.Show(new TakeoverView(from.Region, to.Region, isPlan, takeover.Steps), CtlJson.Default.TakeoverView, page =>
        {
            page.Table(["STEP", "REGION", "RESULT"], takeover.Steps.Select(step => (string?[])[step.Step, step.Region, step.Result]));
            page.Line(isPlan
                ? $"Nothing was changed. Without --plan {to.Region} becomes the active region."
                : $"{to.Region} is the active region. DNS follows within three minutes, and stays.");
        });
    }

    private static Answer Show(RegionSide first, RegionReport one, RegionSide second, RegionReport two, string? servesSlack)
    {
        var reports = new[] { one, two }.Where(report => report.Answers).ToList();
        var active = reports.Select(report => report.Active).Distinct().ToList() is [var agreed] ? agreed : null;
        var isSettled = active is not null && reports.All(report => report.Names(active));
        var shown = new RegionsView(
            isSettled ? active : null, reports.Count == 0 ? "unknown" : isSettled ? "settled" : "between", servesSlack,
            [Of(first, "primary", one), Of(second, "standby", two)], Next(first.Region, one, second.Region, isSettled ? active : null, reports.Count));
        return Answer.Show(shown, CtlJson.Default.RegionsView, page =>
        {
            page.Facts(("active region", shown.Active ?? shown.State), ("Slack is answered by", shown.ServesSlack));
            page.Line("");
            page.Table(["REGION", "ROLE", "ANSWERS", "ACTIVE", new("HEALTH", 1), Column.Prose("LEDGERS"), Column.Number("WAITING"), Column.Number("DEAD")], shown.Regions.Select(region => (string?[])
            [
                region.Region, region.Role, region.Fault is null ? "yes" : "no", region.Active, region.Health,
                DisplayText.List([.. region.Ledgers.Select(share => $"{share.Region ?? "nobody"} {DisplayText.Of(share.Tenants)}")]),
                DisplayText.Of(region.Queues.Sum(queue => queue.Waiting)), DisplayText.Of(region.Queues.Sum(queue => queue.DeadLetters)),
            ]));
            page.Line("");
            page.Line(shown.Next);
        }) with
        { Warnings = [.. shown.Regions.Where(region => region.Fault is not null).Select(region => $"{region.Region}: {region.Fault}")] };
    }

    private static string Next(string first, RegionReport one, string second, string? active, int answering)
    {
        if (answering == 0)
            return "Neither region answers: look at the credentials and the network here first.";
        if (active is null)
            return $"A takeover is not done: run it again, ./ctl dr failover for {second} or ./ctl dr failback for {first}.";
        if (active == second)
            return one.Answers ? "Back when it is well: ./ctl dr failback --plan." : $"{first} does not answer: it cannot have its place back yet.";
        return one.Answers
            ? "Nothing is to do."
            : $"Until somebody decides, {second} answers Slack and takes no new executions: ./ctl dr failover --lost --plan.";
    }

    private static RegionView Of(RegionSide side, string role, RegionReport report) => new(
        side.Region, role, report.Fault, report.Active, report.Health is not { } health ? null : health.IsWell ? "ok" : "unavailable",
        [.. report.Owners.GroupBy(owner => owner).OrderBy(share => share.Key).Select(share => new LedgerShareView(share.Key, share.Count()))],
        [.. report.Queues.Select(depth => new QueueHealthView(depth.Queue.Name, depth.Waiting, depth.InFlight, depth.DeadLetters))]);
}
