using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Schedules;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;
using ControlPlane.Timetables;

namespace ControlPlane.SlackHandler.Commands;

/// <summary><c>schedule</c>: what runs at planned times; a new one; and with <c>unschedule</c> its end.</summary>
/// <remarks>A schedule runs as whoever made it, under the policy of each planned time. Whoever may run its workflow here may see and end it.</remarks>
internal sealed class ScheduleCommand(ScheduleStore schedules, AuditTrail audit, BotTokens tokens, TimeProvider clock)
{
    private const int TimesTold = 3;
    private const int MostListed = 40;              // of a message's 50 blocks
    private const string StandardZone = "UTC";
    private const string Example = "schedule my_workflow \"0 8 * * 1-5\" in Europe/Berlin name=value";

    public async Task<SlackMessage> AnswerAsync(Caller caller, IReadOnlyList<Word> words, CancellationToken cancel)
    {
        if (words.Count == 0)
            return await ListAsync(caller, cancel);
        if (Read(words) is not { } asked)
            return Refusals.Usage(caller.Command.Name, Example);
        var (arguments, fault) = RunArguments.Parse([words[0], .. asked.Others]);
        if (arguments is null)
            return Refused(fault!);
        if (caller.Find(arguments.Workflow) is not { } workflow)
            return Refused($"There is no workflow {arguments.Workflow}.");
        if (RunCommand.InTheWay(caller, workflow, arguments) is { } inTheWay)
            return Refused(inTheWay);
        return Timetable.TryParse(asked.Cron, asked.Zone ?? StandardZone, out var timetable, out var unread)
            ? await AddAsync(caller, workflow, arguments, timetable, isZoneGiven: asked.Zone is not null, cancel)
            : Refused(unread);
    }

    /// <summary><c>unschedule</c>: ends a schedule, by its first digits.</summary>
    public async Task<SlackMessage> EndAsync(Caller caller, IReadOnlyList<Word> words, CancellationToken cancel)
    {
        if (words is not [{ Key: null, IsObject: false, Value: var typed }])
            return Refusals.Usage(caller.Command.Name, "unschedule 1a2b3c4d");
        var digits = ExecutionLookup.Undressed(typed);
        if (digits.StartsWith(ScheduleId.Prefix, StringComparison.Ordinal))
            digits = digits[ScheduleId.Prefix.Length..];
        var named = digits.Length >= ExecutionId.FewestDigits && digits.All(char.IsAsciiHexDigitLower)
            ? (await schedules.OfTenantAsync(caller.Tenant, cancel, digits)).Where(schedule => MaySee(caller, schedule)).ToList()
            : [];
        if (named is not [var only] || !await schedules.RemoveAsync(only, caller.AuditorOf(audit), cancel))
            return SlackMessage.Private(named.Count > 1
                ? SlackText.Of($"Several schedules begin with {SlackText.Code(typed)}: more of its digits tell which.")
                : SlackText.Of($"There is no such schedule that you may see in this channel: {SlackText.Code(typed)}."));
        return SlackMessage.Private(
            SlackText.Of($":wastebasket: *{only.Workflow.ToString()}* no longer runs at {SlackText.Code(only.Cron)} in {only.Zone}. What it started goes on."),
            Block.SmallPrint(SlackText.Code(only.Id.Short)));
    }

    private async Task<SlackMessage> AddAsync(
        Caller caller, Workflow workflow, RunArguments arguments, Timetable timetable, bool isZoneGiven, CancellationToken cancel)
    {
        var (now, from) = (clock.GetUtcNow(), caller.Command.From);
        var schedule = new Schedule
        {
            Tenant = caller.Tenant,
            Workflow = workflow.Name,
            Owner = new(ScheduleId.Of(from.TeamId.ToString(), caller.Command.TriggerId), Caller: null, from.TeamId, from.UserId, from.ChannelId)
            {
                OrganisationId = from.OrganisationId,
            },
            Cron = timetable.Fields,
            Zone = timetable.Zone,
            Inputs = arguments.Inputs,
            IsPublic = arguments.IsPublic,
            MadeAt = now,
            NextAt = timetable.NextAfter(now),
        };
        if (await schedules.FindAsync(schedule.Id, cancel) is null && (await schedules.OfTenantAsync(caller.Tenant, cancel)).Count >= Schedule.MostOfTenant)
            return Refused($"There are {Schedule.MostOfTenant} schedules already, which is the most. {caller.Command.Name} unschedule ends one.");
        await schedules.TryAddAsync(schedule, caller.AuditorOf(audit), cancel);      // the same request again finds it there, and is told the same

        var canBeTold = await tokens.FindAsync(caller.Tenant, from, cancel) is not null;
        var told = !canBeTold ? SlackText.Of($"Its results can't be told, for this workspace has not installed the app: look with {Written(caller, "list")}.")
            : schedule.IsPublic ? SlackText.Of($"Its results come to this channel, where the app is a member, else to you.")
            : SlackText.Of($"Its results come to you as direct messages.");
        var inputs = ExecutionText.Inputs(arguments.Inputs) is { } given ? SlackText.Of($" with {given}") : default;
        return SlackMessage.Private(
            SlackText.Of($":calendar: *{workflow.Name.ToString()}*{inputs} runs at {SlackText.Code(timetable.Fields)} in {timetable.Zone}{(isZoneGiven ? "" : ", since no time zone was said")}."),
            Block.Section(SlackText.Of($"Next: {string.Join("; ", timetable.After(now, TimesTold).Select(timetable.InWords))}.")),
            Block.Section(told),
            Block.SmallPrint(SlackText.Of($"{SlackText.Code(schedule.Id.Short)} · {Written(caller, $"unschedule {schedule.Id.Short}")} ends it")));
    }

    private async Task<SlackMessage> ListAsync(Caller caller, CancellationToken cancel)
    {
        var visible = (await schedules.OfTenantAsync(caller.Tenant, cancel)).Where(schedule => MaySee(caller, schedule)).ToList();
        if (visible.Count == 0)
            return SlackMessage.Private(
                SlackText.Of($"Nothing is scheduled that you may see here."), Block.SmallPrint(SlackText.Of($"A schedule is made with {Written(caller, Example)}")));
        return SlackMessage.Private(
            visible.Count == 1 ? SlackText.Of($"*One schedule*") : SlackText.Of($"*{visible.Count} schedules*"),
            [
                .. visible.Take(MostListed).Select(schedule => Block.Section(Line(schedule))),
                Block.SmallPrint(SlackText.Of($"{Written(caller, $"unschedule {visible[0].Id.Short}")} ends one")),
            ]);
    }

    private static SlackText Line(Schedule schedule)
    {
        var next = schedule switch
        {
            { PausedAt: not null } => SlackText.Of($"paused by an operator"),
            { NextAt: { } at } => SlackText.Of($"next {SlackText.Time(at)}"),
            _ => SlackText.Of($"over"),
        };
        return SlackText.Of(
            $":calendar: *{schedule.Workflow.ToString()}* {SlackText.Code(schedule.Cron)} in {schedule.Zone} · {next} · {SlackText.Code(schedule.Id.Short)}");
    }

    private static bool MaySee(Caller caller, Schedule schedule) =>
        (schedule.Owner.Asker is { } owner && owner.UserId == caller.Command.UserId && owner.TeamId == caller.Command.TeamId)
        || caller.MaySeeAll(schedule.Workflow);

    /// <summary>The workflow's cron, quoted or as five words, its zone, and the rest.</summary>
    private static (string Cron, string? Zone, IEnumerable<Word> Others)? Read(IReadOnlyList<Word> words)
    {
        const int fields = 5;
        if (words.Count < 2 || words[0] is not { Key: null, IsObject: false } || words[1] is not { Key: null, IsObject: false })
            return null;
        var unquoted = words.Skip(1).TakeWhile(word => word is { Key: null, IsObject: false }).Take(fields).ToList();
        var (cron, used) = words[1].Value.Contains(' ', StringComparison.Ordinal) ? (words[1].Value, 2)
            : unquoted.Count == fields ? (string.Join(' ', unquoted.Select(word => word.Value)), 1 + fields)
            : (words[1].Value, 2);
        return words.Count > used + 1 && words[used] is { Key: null, IsObject: false, Value: var preposition }
            && preposition.Equals("in", StringComparison.OrdinalIgnoreCase) && words[used + 1] is { Key: null, IsObject: false, Value: var zone }
            ? (cron, zone, words.Skip(used + 2))
            : (cron, null, words.Skip(used));
    }

    private static SlackMessage Refused(string inPlainWords) => SlackMessage.Private(SlackText.Of($"{inPlainWords} Nothing was scheduled."));

    private static SlackText Written(Caller caller, string rest) => SlackText.Code($"{caller.Command.Name} {rest}");
}
