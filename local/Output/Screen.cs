using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Tenants;
using Spectre.Console;

namespace ControlPlane.Local.Output;

/// <summary>What the reader sees.</summary>
internal sealed class Screen(IAnsiConsole console)
{
    public void Say(string text) => console.MarkupLineInterpolated($"[grey]{text}[/]");

    public void Ready(LocalControlPlane local, TimeSpan after) => console.MarkupLineInterpolated(
        $"[green]ready[/] after {after.TotalSeconds:0.0} s: public API {local.PublicApi.Endpoint}, private API {local.PrivateApi.Endpoint}, {local.Functions.Count} function processes");

    public void Begin(string name)
    {
        console.WriteLine();
        console.MarkupLineInterpolated($"[bold]{name}[/]");
    }

    public void Step(int number, string title, string evidence, TimeSpan sinceStart)
    {
        console.MarkupLineInterpolated($"[green]{number,3}[/]  {sinceStart.TotalMilliseconds,6:0} ms  {title}");
        console.MarkupLineInterpolated($"                 [grey]{evidence}[/]");
    }

    public void End(string inWords) => console.MarkupLineInterpolated($"[green] ✓ [/] {inWords}");

    public void Failed(string why) => console.MarkupLineInterpolated($"[red] ✗ [/] {why}");

    /// <summary>As it would be seen: who sees it, its words block by block, and what is on its buttons.</summary>
    public void Show(ShownMessage message)
    {
        console.MarkupLineInterpolated($"[blue]Slack shows[/] [grey]{message.SeenBy}{(message.Changes > 0 ? ", changed" : "")}:[/]");
        foreach (var line in message.Text.Split('\n'))
            console.MarkupLineInterpolated($"   {line}");
        if (SlackMarkup.ButtonsOf(message.Json) is { Count: > 0 } buttons)
            console.MarkupLineInterpolated($"   [grey]{string.Join("  ", buttons.Select(button => $"({button})"))}[/]");
    }

    public void Show(FunctionLine line) => console.MarkupLineInterpolated($"[yellow]{line.Function}:[/] {line.InShort}");

    public void Joined(TenantId tenant) => console.MarkupLineInterpolated(
        $"[blue]{tenant}[/] has an engine and a metering sidecar here now. [grey]Another engine on this machine: ./run --engine {tenant}=127.0.0.1:5678[/]");

    /// <summary>Lines to copy: a signed command and a look at what else is there.</summary>
    public void Invite(LocalControlPlane local, RunOptions options)
    {
        console.WriteLine();
        console.MarkupLine("[bold]Try it[/] [grey](bash; Ctrl-C here ends everything)[/]");
        if (!options.Empty) console.WriteLine($$"""
            body="team_id={{DemoData.Workspace}}&user_id={{DemoData.User}}&channel_id={{DemoData.Channel}}&command=/wf&text=run+{{DemoData.Workflow}}+city=Paris&trigger_id=$RANDOM.$RANDOM&response_url=https://hooks.slack.com/commands/{{DemoData.Workspace}}/1/x"
            now=$(date +%s); mac=$(printf 'v0:%s:%s' "$now" "$body" | openssl dgst -sha256 -hmac {{DemoData.SigningSecret}} | sed 's/.* //')
            curl {{local.PublicApi.Endpoint}}slack/commands -H "x-slack-request-timestamp: $now" -H "x-slack-signature: v0=$mac" --data "$body"

            curl {{local.PrivateApi.Endpoint}}tenants/{{DemoData.Tenant}}/jwks.json
            """);
        console.WriteLine($"curl {local.PublicApi.Endpoint}health");
        console.MarkupLineInterpolated($"[grey]the operators' panel, in a browser:[/] {local.Panel.Endpoint}");
        if (options.SlackHost is null)
            console.MarkupLineInterpolated($"[grey]or in a browser, as its user:[/] {local.Slack.Endpoint}");
        console.WriteLine();
        console.MarkupLineInterpolated(
            $"[grey]logs of the functions: {local.Logs.Folder}   everything's address: {Path.Combine(options.State, "endpoints.json")}[/]");
    }
}
