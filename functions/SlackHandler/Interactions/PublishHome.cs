using System.Buffers;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.WebApi;

namespace ControlPlane.SlackHandler.Interactions;

/// <summary>The App Home: what its user may run, the latest executions and how they stand, the quota, and the data plane's health.</summary>
/// <remarks>Published whenever its user opens it: https://docs.slack.dev/surfaces/app-home. It is no channel, so workflows that belong to channels are not
/// offered there.</remarks>
internal sealed class PublishHome(Callers callers, ListCommand list, UsageCommand usage, BotTokens tokens, SlackWebApi slack, SlackHandlerEvents events)
{
    private const int Latest = 10;
    private const int MostWorkflows = 20;
    private const int MostBlocks = 100;

    /// <param name="opened">Who opened it, as a command that says nothing: its channel is the user.</param>
    public async Task RunAsync(SlackCommand opened, CancellationToken cancel)
    {
        var (caller, _) = await callers.FindAsync(opened, cancel);
        if (caller is null || await tokens.FindAsync(caller.Tenant, opened.From, cancel) is not { } token)
            return;
        var latest = list.LatestAsync(caller, Latest, cancel);
        var used = usage.BlocksAsync(caller, cancel);
        await Task.WhenAll(latest, used);

        var published = await slack.PublishViewAsync(token, opened.UserId, ViewOf(caller, await latest, await used), cancel);
        if (published.Fault is { } why)
            events.HomeNotPublished(caller.Tenant, opened.UserId, why);
    }

    internal static ReadOnlyMemory<byte> ViewOf(Caller caller, IReadOnlyList<ExecutionSummary> latest, IEnumerable<Block> usage)
    {
        List<Block> blocks = [.. Running(caller), .. Looking(latest), .. usage];
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", "home");
            json.WriteStartArray("blocks");
            foreach (var block in blocks.Select(block => block.WithoutBlanks()).OfType<Block>().Take(MostBlocks))
                JsonSerializer.Serialize(json, block, SlackJson.Default.Block);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    private static IEnumerable<Block> Running(Caller caller)
    {
        var names = caller.Runnable.Select(workflow => workflow.Name).ToList();
        yield return Block.Header("What you may run");
        if (names.Count == 0)
        {
            yield return Block.Section(SlackText.Of($"Nothing that does not belong to a channel. In a channel, {SlackText.Code($"{caller.Command.Name} help")} shows what may be run there."));
            yield break;
        }
        yield return Block.Actions(names.Take(MostWorkflows).Select(name => ExecutionButtons.Run(name, caller.Command.Name)));
        yield return Block.SmallPrint(SlackText.Of($"{(names.Count > MostWorkflows ? $"and {names.Count - MostWorkflows} more. " : "")}A button asks what to run it with. The result comes as a direct message."));
    }

    private static IEnumerable<Block> Looking(IReadOnlyList<ExecutionSummary> latest)
    {
        yield return Block.Header("Latest executions");
        if (latest.Count == 0)
            yield return Block.Section(SlackText.Of($"Nothing has been run yet that you may see here."));
        foreach (var one in latest)
            yield return Block.Section(ListCommand.Line(one));
    }
}
