using System.Text;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;

namespace ControlPlane.Tests.Local;

/// <summary>A function written in a few lines of JavaScript, so that the Runtime API is held to a client that is not ours.</summary>
public sealed class FunctionHostTests : IAsyncDisposable
{
    private const string Function = """
        const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
        const { appendFileSync, readFileSync } = await import("node:fs");
        appendFileSync("starts", "x");
        const tooLate = process.env._HANDLER === "late" && readFileSync("starts").length < 3;
        if (process.env._HANDLER === "broken" || tooLate) {
          await fetch(`${api}/init/error`, { method: "POST", body: '{"errorType":"SettingException","errorMessage":"TENANTS_TABLE is missing"}' });
          process.exit(1);
        }
        while (true) {
          const next = await fetch(`${api}/invocation/next`);
          const id = next.headers.get("lambda-runtime-aws-request-id");
          const event = await next.text();
          if (event === "die") process.exit(9);
          if (event === "sleep") await new Promise((wake) => setTimeout(wake, 60000));
          const left = Number(next.headers.get("lambda-runtime-deadline-ms")) - Date.now();
          if (event === "fail") await fetch(`${api}/invocation/${id}/error`, { method: "POST", body: '{"errorType":"Boom","errorMessage":"as asked"}' });
          else await fetch(`${api}/invocation/${id}/response`, { method: "POST", body: `${event} ${process.env.NAME} ${process.pid} ${Math.round(left / 1000)}` });
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("function-").FullName;
    private readonly List<string> _lines = [];

    public async ValueTask DisposeAsync()
    {
        await Task.CompletedTask;
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task An_event_is_answered_with_the_functions_settings_and_deadline()
    {
        await using var host = await StartAsync();
        Assert.Equal($"hello local {host.ProcessId} 2", await TextAsync(host, "hello"));
    }

    [Fact]
    public async Task A_failed_event_carries_the_functions_own_words_and_leaves_the_process_alive()
    {
        await using var host = await StartAsync();
        var failed = Assert.IsType<InvocationResult.Failed>(await InvokeAsync(host, "fail"));
        Assert.Equal(("Boom", "as asked"), (failed.ErrorType, failed.Message));
        Assert.StartsWith("still", await TextAsync(host, "still"), StringComparison.Ordinal);
        Assert.Equal(1, host.Starts);
    }

    [Fact]
    public async Task A_process_that_dies_loses_its_event_and_is_started_again()
    {
        await using var host = await StartAsync();
        var lost = InvokeAsync(host, "die");
        var next = TextAsync(host, "next");

        Assert.IsType<InvocationResult.Lost>(await lost);
        Assert.StartsWith("next", await next, StringComparison.Ordinal);
        Assert.Equal(2, host.Starts);
    }

    [Fact]
    public async Task An_event_past_its_timeout_is_lost_and_its_process_is_replaced()
    {
        await using var host = await StartAsync();
        var lost = Assert.IsType<InvocationResult.Lost>(await InvokeAsync(host, "sleep"));
        Assert.Contains("timed out", lost.Why, StringComparison.Ordinal);
        Assert.StartsWith("next", await TextAsync(host, "next"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_cannot_start_says_why_to_whoever_waits()
    {
        await using var host = await StartAsync(handler: "broken", wait: false);
        var failed = Assert.IsType<InvocationResult.Failed>(await InvokeAsync(host, "hello"));
        Assert.Equal(("SettingException", "TENANTS_TABLE is missing"), (failed.ErrorType, failed.Message));
    }

    [Fact]
    public async Task A_first_start_that_comes_too_late_is_tried_again()
    {
        await using var host = await StartAsync(handler: "late");
        Assert.Equal(3, host.Starts);
        Assert.StartsWith("hello", await TextAsync(host, "hello"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_that_cannot_start_is_given_up_after_the_third_try_and_named()
    {
        await using var host = await StartAsync(handler: "broken", wait: false);
        var given = await Assert.ThrowsAsync<CannotStart>(() => host.Ready.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        Assert.Equal("EchoFunction could not start: SettingException: TENANTS_TABLE is missing", given.Message);
        Assert.Equal(FunctionHost.MostFirstStarts, host.Starts);
    }

    [Fact]
    public async Task No_process_is_left_behind()
    {
        var host = await StartAsync();
        var process = host.ProcessId!.Value;
        Assert.True(Directory.Exists($"/proc/{process}"));
        await host.DisposeAsync();
        Assert.False(Directory.Exists($"/proc/{process}"));
    }

    private async Task<FunctionHost> StartAsync(string handler = "echo", bool wait = true)
    {
        var script = Path.Combine(_folder, "function.mjs");
        await File.WriteAllTextAsync(script, Function, TestContext.Current.CancellationToken);
        var function = new TemplateFunction(
            "EchoFunction", "functions/Echo", handler, TimeSpan.FromSeconds(2), 128, new Dictionary<string, System.Text.Json.Nodes.JsonNode?>(), []);
        var host = await FunctionHost.StartAsync(
            function, new("node", [script], _folder), new Dictionary<string, string?> { ["NAME"] = "local" }, line => { lock (_lines) _lines.Add(line); },
            new Pace(), TimeProvider.System);
        if (wait) await host.Ready.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        return host;
    }

    private static Task<InvocationResult> InvokeAsync(FunctionHost host, string text) =>
        host.InvokeAsync(Encoding.UTF8.GetBytes(text)).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

    private static async Task<string> TextAsync(FunctionHost host, string text) =>
        Encoding.UTF8.GetString(Assert.IsType<InvocationResult.Answered>(await InvokeAsync(host, text)).Payload);
}
