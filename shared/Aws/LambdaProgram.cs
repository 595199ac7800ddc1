using Amazon.Lambda.RuntimeSupport;
using ControlPlane.Configuration;

namespace ControlPlane.Aws;

/// <summary>Runs a function's executable from start to end.</summary>
public static class LambdaProgram
{
    /// <param name="compose">Makes the entry point that <c>_HANDLER</c> names. What it throws is reported as an init error: a missing setting, an unknown entry point, an unusable secret.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(Func<string, Task<LambdaBootstrapBuilder>> compose)
    {
        LambdaBootstrapBuilder lambda;
        try
        {
            lambda = await compose(Setting.Required("_HANDLER"));
        }
        catch (Exception initError)
        {
            // A bootstrap that serves nothing: its initializer hands the error to the Runtime API.
            lambda = LambdaBootstrapBuilder.Create(() => Task.CompletedTask).UseBootstrapHandler(() => Task.FromException<bool>(initError));
        }

        try
        {
            await lambda.Build().RunAsync();
            return 0;
        }
        catch (Exception)
        {
            // Reported above, by the bootstrap.
            return 1;
        }
    }

    /// <summary>For a <c>_HANDLER</c> that names none of an executable's entry points.</summary>
    public static SettingException UnknownEntryPoint(params IEnumerable<string> known) => new("_HANDLER", $"names none of this function's entry points: {string.Join(", ", known)}");
}
