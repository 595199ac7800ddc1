using System.Diagnostics;

namespace ControlPlane.Tests.Support;

/// <summary>A function's process that ends before its first event, as Lambda sees it.</summary>
/// <param name="InitError">What it posted to the Runtime API: path, a blank, body.</param>
public sealed record FailedStart(int ExitCode, string Output, string InitError)
{
    /// <summary>Starts a function's build output and waits for its end.</summary>
    /// <param name="function">The project's name.</param>
    /// <param name="environment">Null removes a variable.</param>
    public static async Task<FailedStart> OfAsync(string function, IReadOnlyDictionary<string, string?> environment, CancellationToken cancel)
    {
        var report = new TaskCompletionSource<string>();
        await using var runtime = new LoopbackServer(async (http, stopped) =>
        {
            using var reader = new StreamReader(http.Request.InputStream);
            report.TrySetResult($"{http.Request.Url!.AbsolutePath} {await reader.ReadToEndAsync(stopped)}");
            http.Response.StatusCode = 202;
            http.Response.Close();
        });

        var dll = Path.Combine(
            RepositoryRoot.Find(), "functions", function, AppContext.BaseDirectory[AppContext.BaseDirectory.IndexOf("bin", StringComparison.Ordinal)..],
            $"{function}.dll");
        var start = new ProcessStartInfo("dotnet", [dll]) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["AWS_REGION"], start.Environment["AWS_ACCESS_KEY_ID"], start.Environment["AWS_SECRET_ACCESS_KEY"]) = ("us-east-1", "x", "x");
        start.Environment["AWS_LAMBDA_RUNTIME_API"] = runtime.Endpoint;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancel);
            var output = process.StandardOutput.ReadToEndAsync(cancel);
            await process.WaitForExitAsync(cancel).WaitAsync(TimeSpan.FromSeconds(60), cancel);
            await errors;
            return new(process.ExitCode, await output, report.Task.IsCompletedSuccessfully ? await report.Task : "");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    /// <summary>It ended with an error, told Lambda and the log why.</summary>
    public void AssertSays(string message)
    {
        Assert.Equal(1, ExitCode);
        Assert.Contains(message, Output, StringComparison.Ordinal);
        Assert.StartsWith("/2018-06-01/runtime/init/error ", InitError, StringComparison.Ordinal);
        Assert.Contains(message, InitError, StringComparison.Ordinal);
    }
}
