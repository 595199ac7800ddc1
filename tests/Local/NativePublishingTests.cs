using System.Diagnostics;
using System.Text.Json;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Local;

/// <summary>What native code takes is fetched where something is published, and nowhere else.</summary>
public sealed class NativePublishingTests
{
    [Theory]
    [InlineData("functions/SlackHandler"), InlineData("functions/Orchestrator"), InlineData("functions/DpDispatcher"), InlineData("functions/MeteringCollector")]
    [InlineData("data-plane/sidecar"), InlineData("bench/dispatch"), InlineData("bench/empty-function")]
    public async Task A_build_fetches_no_compiler_and_publishing_does(string project)
    {
        Assert.DoesNotContain(await FetchedAsync(project), IsForPublishing);
        Assert.Contains(await FetchedAsync(project, "-p:_IsPublishing=true", "-p:RuntimeIdentifier=linux-x64"), IsForPublishing);
    }

    // Amazon.Lambda.Tools asks the project what it is, with the parameters of its defaults, before it publishes.
    [Fact]
    public async Task Whoever_deploys_sees_native_code() =>
        Assert.Equal("true", (await MsBuildAsync("functions/SlackHandler", "-getProperty:PublishAot", "-p:OfficialAwsPackages=true", "-p:SelfContained=true")).Trim());

    private static bool IsForPublishing(string package) =>
        package.Contains("ILCompiler", StringComparison.OrdinalIgnoreCase) || package.Contains(".Runtime.", StringComparison.OrdinalIgnoreCase);

    private static async Task<IReadOnlyList<string>> FetchedAsync(string project, params string[] properties)
    {
        using var items = JsonDocument.Parse(
            await MsBuildAsync(project, ["-t:CollectPackageDownloads;CollectPackageReferences", "-getItem:PackageDownload", "-getItem:PackageReference", .. properties]));
        return [.. items.RootElement.GetProperty("Items").EnumerateObject()
            .SelectMany(kind => kind.Value.EnumerateArray()).Select(item => item.GetProperty("Identity").GetString()!)];
    }

    private static async Task<string> MsBuildAsync(string project, params string[] arguments)
    {
        using var build = Process.Start(new ProcessStartInfo("dotnet", ["msbuild", Path.Combine(RepositoryRoot.Find(), project), "-nologo", .. arguments])
        {
            RedirectStandardOutput = true,
        })!;
        var said = await build.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await build.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(build.ExitCode == 0, said);
        return said;
    }
}
