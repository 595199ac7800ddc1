using Amazon.Lambda.RuntimeSupport;
using ControlPlane.Configuration;

namespace ControlPlane.Aws;

/// <summary>Runs a function's executable from start to end.</summary>
public static class LambdaProgram
{
    /// <param name="compose">Makes the entry point that <c>_HANDLER</c> names. What it throws is reported as an init error: a missing setting, an unknown entry
    /// point, an unusable secret.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(Func<string, Task<LambdaBootstrapBuilder>> compose)
    {
        Authorities.ReadFromOneFile();
        LambdaBootstrapBuilder lambda;
        Exception? notComposed = null;
        try
        {
            // Lambda sets it. Without it no client knows where its service is, and would say so at the first event.
            _ = Setting.Required("AWS_REGION");
            lambda = await compose(Setting.Required("_HANDLER"));
        }
        catch (Exception initError)
        {
            // A bootstrap that serves nothing: its initializer logs the error and hands it to the Runtime API.
            notComposed = initError;
            lambda = LambdaBootstrapBuilder.Create(() => Task.CompletedTask).UseBootstrapHandler(() => Task.FromException<bool>(initError));
        }

        try
        {
            await lambda.Build().RunAsync();
            return 0;
        }
        catch (Exception e)
        {
            // A Runtime API that refuses (an answer that is too large, a report) or is gone. Nobody else says so, and Lambda starts another process.
            if (e != notComposed)
                await Console.Error.WriteLineAsync($"The function ends: {e}");
            return 1;
        }
    }

    /// <summary>For a <c>_HANDLER</c> that names none of an executable's entry points.</summary>
    public static SettingException UnknownEntryPoint(params IEnumerable<string> known) =>
        new("_HANDLER", $"names none of this function's entry points: {string.Join(", ", known)}");
}
