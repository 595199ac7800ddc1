using System.CommandLine;
using ControlPlane.Administration.DeadLetters;
using ControlPlane.Audit;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>dlq …</c>: messages that were given up. Of their content only the ids are shown.</summary>
internal static class DeadLetterCommands
{
    private const int Standard = 100, Most = 1000;

    public static Command Build(Runner runner) =>
        new("dlq", "Dead letters: messages that were given up, and sending them back.") { List(runner), Redrive(runner) };

    private static Command List(Runner runner)
    {
        var queue = Queue();
        queue.Arity = ArgumentArity.ZeroOrOne;
        queue.Description = "The queue they came from; all when left out.";
        var max = TypedArguments.Count("--max", "How many of a queue.", Standard, Most);
        return runner.Runs(new("list", "Dead letters, oldest first. Looking hides them from others for some seconds.") { queue, max },
            async (hub, given, cancel) =>
        {
            var queues = given.GetValue(queue) is { } only ? [only] : WorkQueue.All;
            var found = await Task.WhenAll(
                queues.Select(async one => (Queue: one, Letters: await (await hub.DeadLettersOfAsync(one, cancel)).LookAsync(given.GetValue(max), cancel))));
            var letters = found.SelectMany(one => one.Letters.Select(letter => Of(one.Queue, letter, hub.Clock.GetUtcNow()))).ToList();
            return Answer.Show(new DeadLettersView(letters), CtlJson.Default.DeadLettersView, page => Draw(page, letters));
        });
    }

    private static Command Redrive(Runner runner)
    {
        var queue = Queue();
        var max = TypedArguments.Count("--max", "How many, the oldest first.", Standard, Most);
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would be sent back, and leave it." };
        return runner.Runs(new("redrive", "Sends dead letters back to their queue, in order. Every consumer knows a repeat, and closes what is stale.") { queue,
            max, dryRun }, async (hub, given, cancel) =>
        {
            var source = given.GetRequiredValue(queue)!;
            var (most, isDry) = (given.GetValue(max), given.GetValue(dryRun));
            var letters = await hub.DeadLettersOfAsync(source, cancel);
            if (!isDry)
                await (await hub.AuditorAsync(cancel)).NoteAsync("dlq.redrive", null, source.Name, [AuditedValue.Of("most", null, DisplayText.Of(most))], cancel);
            var moved = isDry ? await letters.LookAsync(most, cancel) : await letters.RedriveAsync(most, cancel);
            var shown = new RedriveView(source.Name, isDry, [.. moved.Select(letter => Of(source, letter, hub.Clock.GetUtcNow()))]);
            return Answer.Show(shown, CtlJson.Default.RedriveView, page =>
            {
                page.Line(moved.Count == 0 ? $"{source.Name} has no dead letters." : $"{moved.Count} {(isDry ? "would go" : "went")} back to {source.Name}.");
                if (moved.Count > 0)
                    Draw(page, shown.Messages);
            }) with
            { Warnings = moved.Count == most ? [$"that is as many as --max allows: there may be more, run it again."] : [] };
        });
    }

    private static Argument<WorkQueue?> Queue() => new("queue")
    {
        Description = "The queue they came from.",
        HelpName = string.Join('|', WorkQueue.All.Select(queue => queue.Name)),
        CustomParser = given => given.Tokens.Count == 0 ? null : TypedArguments.Read(
            given, (string text, out WorkQueue queue) => (queue = WorkQueue.All.FirstOrDefault(one => one.Name == text)!) is not null,
            text => $"{text} is no queue: {string.Join(", ", WorkQueue.All.Select(queue => queue.Name))}."),
    };

    // No age is below zero, though it is by two clocks.
    private static DeadLetterView Of(WorkQueue queue, DeadLetter letter, DateTimeOffset now) =>
        new(
            queue.Name, letter.Id, letter.Execution, letter.Tenant, Rfc3339.Format(letter.SentAt),
            Math.Max(0, (long)(now - letter.SentAt).TotalMilliseconds), letter.Receives);

    private static void Draw(Page page, IReadOnlyList<DeadLetterView> letters) => page.Table(
        ["QUEUE", new("MESSAGE", 3), "EXECUTION", new("TENANT", 1), Column.Number("AGE"), Column.Number("RECEIVED", 2)],
        letters.Select(one => (string?[])
            [one.Queue, one.MessageId, one.ExecutionId, one.Tenant, DisplayText.OfMilliseconds(one.AgeMs), DisplayText.Of(one.Receives)]));
}
