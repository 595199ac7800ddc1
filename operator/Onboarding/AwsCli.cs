using System.Diagnostics;
using System.Text.Json;

namespace ControlPlane.Operator.Onboarding;

/// <summary>The AWS CLI, as somebody's credentials and in one region.</summary>
/// <param name="credentials">Environment that says who calls; empty for the operator's own.</param>
internal sealed class AwsCli(string region, IReadOnlyDictionary<string, string> credentials)
{
    // The CLI, and whatever a script of ours starts, is a group of its own that never outlives us, however we end: when our end of the pipe closes, it is told
    // to. Ctrl-C in a terminal reaches us alone, and we end it.
    private const string Leash = """
        trap '' INT HUP
        exec 3<&0 </dev/null 4>&2 2>/dev/null
        set -m
        "$@" 2>&4 3<&- 4>&- &
        program=$!
        { read -r _ <&3; kill -- -$program; } >/dev/null 4>&- &
        watcher=$!
        disown $watcher
        wait $program
        ended=$?
        kill $watcher
        exit $ended
        """;

    // What a shell says of a program that is not there, or is none.
    private const int NotFound = 127, NotExecutable = 126;

    public string Region => region;

    /// <returns>What it printed, without the line's end.</returns>
    /// <exception cref="StepException">AWS refused, or the CLI is not installed.</exception>
    public Task<string> RunAsync(CancellationToken cancel, params IEnumerable<string> words) => RunAsync("aws", words, folder: null, cancel);

    /// <summary>A script of the checkout, which calls the CLI itself.</summary>
    /// <exception cref="StepException">It failed.</exception>
    public Task<string> RunScriptAsync(string checkout, string script, CancellationToken cancel, params IEnumerable<string> words) =>
        RunAsync(Path.Combine(checkout, script), words, checkout, cancel);

    /// <summary>The same in a role of another account, for an hour.</summary>
    public async Task<AwsCli> AssumeAsync(string role, string session, CancellationToken cancel)
    {
        var answer = await RunAsync(
            cancel, "sts", "assume-role", "--role-arn", role, "--role-session-name", session, "--query", "Credentials", "--output", "json");
        using var given = JsonDocument.Parse(answer);
        string Of(string name) => given.RootElement.GetProperty(name).GetString()!;
        return new(region, new Dictionary<string, string>
        {
            ["AWS_ACCESS_KEY_ID"] = Of("AccessKeyId"),
            ["AWS_SECRET_ACCESS_KEY"] = Of("SecretAccessKey"),
            ["AWS_SESSION_TOKEN"] = Of("SessionToken"),
        });
    }

    private async Task<string> RunAsync(string program, IEnumerable<string> words, string? folder, CancellationToken cancel)
    {
        var start = new ProcessStartInfo("bash", ["-c", Leash, "bash", program, .. words])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? "",
        };
        // Version 1 of the CLI reads the second name only.
        (start.Environment["AWS_REGION"], start.Environment["AWS_DEFAULT_REGION"], start.Environment["AWS_PAGER"]) = (region, region, "");
        foreach (var (name, value) in credentials)
            start.Environment[name] = value;
        if (credentials.Count > 0)
            start.Environment.Remove("AWS_PROFILE");

        using var process = Process.Start(start)!;
        try
        {
            var said = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
            await process.WaitForExitAsync(cancel);
            return process.ExitCode switch
            {
                0 => said[0].TrimEnd('\n'),
                NotFound or NotExecutable => throw new StepException(
                    $"{program} is not to be found here: the AWS CLI has to be installed, and ./ctl to run in a checkout."),
                var exit => throw new StepException(LastLine(said[1], said[0]) ?? $"{program} ended with {exit}."),
            };
        }
        catch (OperationCanceledException)
        {
            process.StandardInput.Close();      // as when we are gone: who interrupts us gives us no time to hunt its children
            throw;
        }
    }

    private static string? LastLine(params IEnumerable<string> texts) =>
        texts.Select(text => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .FirstOrDefault(lines => lines.Length > 0)?[^1];
}
