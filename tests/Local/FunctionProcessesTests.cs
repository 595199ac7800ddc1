using System.Runtime.Versioning;
using ControlPlane.Local.Hub;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Local;

[UnsupportedOSPlatform("windows")]
public sealed class FunctionProcessesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("functions-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Functions_that_hang_are_named_with_their_logs_once_this_machine_has_had_its_time()
    {
        foreach (var project in LocalCloud.Template.Functions.Select(function => function.Project.Split('/').Last()).Distinct())
        {
            var bootstrap = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, project)).FullName, "bootstrap");
            await File.WriteAllTextAsync(bootstrap, "#!/bin/sh\nexec sleep 600\n", TestContext.Current.CancellationToken);
            File.SetUnixFileMode(bootstrap, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var pace = new Pace();
        pace.Saw(TimeSpan.FromSeconds(4), usually: TimeSpan.FromSeconds(2));
        await using var logs = new FunctionLogs(Path.Combine(_folder, "logs"), TimeProvider.System);
        await using var functions = new FunctionProcesses();
        await functions.StartAsync(LocalCloud.Template, _folder, _ => new Dictionary<string, string?>(), logs, pace, TimeProvider.System);

        var given = await Assert.ThrowsAsync<CannotStart>(() => functions.ReadyAsync(
            logs, pace, _ => { }, TimeProvider.System, TestContext.Current.CancellationToken, patience: TimeSpan.FromSeconds(0.5)));

        Assert.Contains("SlackCommandsFunction", given.Message, StringComparison.Ordinal);
        Assert.Contains("did not start within 1 s", given.Message, StringComparison.Ordinal);      // twice as slow, twice as long
        Assert.Contains(logs.Folder, given.Message, StringComparison.Ordinal);
    }
}
