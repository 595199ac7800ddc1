using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using ControlPlane.Local.Runtime;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Local;

/// <summary>What <c>./run</c> says and does where something is in the way: the script or the program that it starts, as a reader starts them.</summary>
[UnsupportedOSPlatform("windows")]
[Trait("Length", "long")]
public sealed partial class RunTests : IDisposable
{
    private static readonly string Program = Path.Combine(FunctionProgram.Built(RepositoryRoot.Find(), "local").Folder, "ControlPlane.Local.dll");

    private readonly string _folder = Directory.CreateTempSubdirectory("run-").FullName;

    private string State => Path.Combine(_folder, "state");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task An_option_that_cannot_be_meant_is_named_and_ends_it_with_2()
    {
        await using var run = Script("run", "--bogus");
        Assert.Equal(2, await run.EndAsync());
        Assert.Contains("--bogus", run.Output, StringComparison.Ordinal);
        Assert.Contains("./run --help", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run"), InlineData("test")]
    public async Task Without_the_NET_SDK_it_says_where_it_is_to_be_had(string script)
    {
        await using var run = Start([Path.Combine(RepositoryRoot.Find(), script)], ("PATH", PathWithout("dotnet")));
        Assert.Equal(1, await run.EndAsync());
        Assert.Matches("^The .NET SDK .*is missing", run.Output);
    }

    [Fact]
    public async Task A_build_gives_a_sign_of_life_every_ten_seconds()
    {
        var path = PathWithout("dotnet");
        Tool("dotnet", """
            case $1 in
                build) echo '  Domain -> /somewhere/Domain.dll'; sleep 11 ;;
                *.dll) echo started ;;
            esac
            """);
        await using var run = Start([Path.Combine(RepositoryRoot.Find(), "run")], ("PATH", path));
        Assert.Equal(0, await run.EndAsync());
        Assert.Matches(@"building, 1\d s: Domain is done …\n(.*\n)*started", run.Output);
    }

    [Fact]
    public async Task Ctrl_C_in_the_middle_of_a_build_ends_all_of_it()
    {
        var path = PathWithout("dotnet");
        Tool("dotnet", $"""
            [ "$1" = build ] || exit 0
            sleep 3571 & touch '{_folder}/building'; wait
            """);
        await using var run = Start([Path.Combine(RepositoryRoot.Find(), "run")], ("PATH", path));
        await run.UntilAsync(() => File.Exists(Path.Combine(_folder, "building")));
        run.Interrupt();
        Assert.Equal(130, await run.EndAsync());
        await run.UntilAsync(() => run.LeftBehind().Count == 0);
    }

    [Fact]
    public async Task A_terminal_that_is_closed_ends_all_of_it()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "script"))), "a terminal takes script");
        // whoever runs these tests under nohup hands its ignorance of the signal on
        await using var terminal = Start(["script", "-qefc", $"env --default-signal=HUP dotnet {Program} --no-demo --port 0 --private-port 0 --state {State}", "/dev/null"]);
        await terminal.UntilAsync(() => terminal.Output.Contains("Try it", StringComparison.Ordinal));
        terminal.Kill();
        await terminal.EndAsync();
        await terminal.UntilAsync(() => terminal.LeftBehind().Count == 0);
    }

    [Fact]
    public async Task Ctrl_C_in_the_middle_of_a_start_ends_it_at_once_and_leaves_nothing_running()
    {
        await using var run = Local("--port", "0", "--private-port", "0", "--state", State);
        await run.UntilAsync(() => run.Output.Contains("starting the functions", StringComparison.Ordinal));
        var since = Stopwatch.StartNew();
        run.Interrupt();

        Assert.Equal(130, await run.EndAsync());
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));      // 1 s on an idle machine
        Assert.Empty(run.LeftBehind());
    }

    [Fact]
    public async Task What_Java_says_of_its_options_is_not_its_version()
    {
        await using var run = LocalWith(("JAVA_TOOL_OPTIONS", "-Dfile.encoding=UTF8"), "--state", FileAt("state"));
        Assert.Equal(1, await run.EndAsync());
        Assert.DoesNotContain("java", run.Output, StringComparison.OrdinalIgnoreCase);       // it came as far as the state
    }

    [Fact]
    public async Task A_Java_that_is_too_old_is_told_from_one_that_is_missing()
    {
        var path = PathWithout("java", "apt-get");
        Tool("java", """echo 'openjdk version "1.8.0_392"' >&2""");
        await using (var old = LocalWith(("PATH", path), "--state", State))
        {
            Assert.Equal(1, await old.EndAsync());
            Assert.Contains("java 1 is too old: it takes Java 11 or later", old.Output, StringComparison.Ordinal);
        }

        File.Delete(Path.Combine(_folder, "bin", "java"));
        await using var missing = LocalWith(("PATH", path), "--state", State);
        Assert.Equal(1, await missing.EndAsync());
        Assert.Contains("java is missing: it takes Java 11 or later", missing.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("--install", missing.Output, StringComparison.Ordinal);        // there is no apt-get that could
    }

    [Fact]
    public async Task What_is_missing_is_installed_only_when_the_reader_says_so()
    {
        Assert.SkipUnless(Environment.UserName == "root", "only root installs");
        var path = PathWithout("java", "apt-get");
        var calls = Path.Combine(_folder, "calls");
        Tool("apt-get", $$"""
            [ "$1" = --version ] && exit
            echo "$*" >> '{{calls}}'
            [ "$1" = update ] || ln -s '{{Found("java")}}' '{{_folder}}/bin/java'
            """);

        await using (var unasked = LocalWith(("PATH", path), "--state", FileAt("state")))
        {
            Assert.Equal(1, await unasked.EndAsync());
            Assert.Contains("./run --install", unasked.Output, StringComparison.Ordinal);
            Assert.False(File.Exists(calls));
        }

        await using var told = LocalWith(("PATH", path), "--install", "--state", FileAt("state"));
        Assert.Equal(1, await told.EndAsync());
        Assert.Contains("is a file", told.Output, StringComparison.Ordinal);                 // it went on to the next obstacle
        Assert.Contains("install -y -qq --no-install-recommends default-jre-headless\n", await File.ReadAllTextAsync(calls, Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n", false), InlineData("y", true)]
    public async Task On_a_terminal_the_reader_is_asked(string answer, bool installs)
    {
        Assert.SkipUnless(Environment.UserName == "root" && File.Exists("/usr/bin/script"), "only root installs, and script(1) plays the terminal");
        var path = PathWithout("java", "apt-get");
        var calls = Path.Combine(_folder, "calls");
        Tool("apt-get", $"""[ "$1" = --version ] || echo "$*" >> '{calls}'""");
        await using var run = Start(
            ["script", "-qec", $"dotnet '{Program}' --state '{State}'", "/dev/null"], ("PATH", path), ("TERM", "xterm"));
        await run.UntilAsync(() => run.Output.Contains("[y/n]", StringComparison.Ordinal));
        Assert.False(File.Exists(calls));
        run.Type(answer);

        Assert.Equal(1, await run.EndAsync());
        Assert.Equal(installs, File.Exists(calls));
    }

    [Theory]
    [InlineData("--port"), InlineData("--private-port")]
    public async Task A_port_that_is_taken_is_named_with_the_way_out(string option)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var run = Local("--state", State, option, $"{port}", option == "--port" ? "--private-port" : "--port", "0");
        Assert.Equal(1, await run.EndAsync());
        Assert.Contains($"Port {port} of 127.0.0.1 is taken: name another with {option}, or {option} 0", run.Output, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Fact]
    public async Task A_state_that_is_a_file_is_named_with_the_way_out()
    {
        var file = FileAt("state");
        await using var run = Local("--state", file);
        Assert.Equal(1, await run.EndAsync());
        Assert.Contains($"{file} is a file, and the state is kept in a folder: name one with --state.", run.Output, StringComparison.Ordinal);
        AssertNoStackTrace(run);
    }

    [Theory]
    [InlineData("secrets.json", "{\"SlackSecret\": [{\"VersionId\""), InlineData("secrets.json", "[]"), InlineData("secrets.json", "{\"SlackSecret\": null}")]
    [InlineData("queues.json", "{\"DispatchQueue\": [{"), InlineData("queues.json", "[]"), InlineData("queues.json", "{\"DispatchQueue\": [1]}")]
    public async Task A_damaged_file_of_the_state_is_named_with_the_way_out(string name, string text)
    {
        Directory.CreateDirectory(State);
        var file = Path.Combine(State, name);
        await File.WriteAllTextAsync(file, text, Cancel);
        await using var run = Local("--port", "0", "--private-port", "0", "--state", State);
        Assert.Equal(1, await run.EndAsync());
        Assert.Contains($"{file} cannot be read: it is damaged.", run.Output, StringComparison.Ordinal);
        Assert.Contains($"mv {file} {file}.damaged", run.Output, StringComparison.Ordinal);
        AssertNoStackTrace(run);
        Assert.Empty(run.LeftBehind());
    }

    [Fact]
    public async Task The_state_and_every_secret_in_it_are_its_owners_alone_and_a_function_that_cannot_start_is_named_with_its_log()
    {
        foreach (var project in new[] { "SlackHandler", "Orchestrator", "DpDispatcher", "MeteringCollector", "AdminPanel" })
        {
            var own = Directory.CreateDirectory(Path.Combine(_folder, "published", project)).FullName;
            Executable(Path.Combine(own, "bootstrap"), "echo 'it is too hot'; exit 3");
        }

        await using var run = Local("--port", "0", "--private-port", "0", "--state", State, "--aot", Path.Combine(_folder, "published"));
        Assert.Equal(1, await run.EndAsync());
        var named = NotStarted().Match(run.Output);
        Assert.True(named.Success, run.Output);
        Assert.Contains("it is too hot", await File.ReadAllTextAsync(named.Groups[1].Value, Cancel), StringComparison.Ordinal);

        foreach (var (name, isFolder) in new[] { ("", true), ("logs", true), ("tables", true), ("secrets.json", false), ("queues.json", false), ("routes", false) })
            Assert.Equal(isFolder ? "700" : "600", ModeOf(Path.Combine(State, name)));
    }

    private static string ModeOf(string path) => Convert.ToString((int)File.GetUnixFileMode(path), 8);

    private static void AssertNoStackTrace(StartedProgram run) => Assert.DoesNotMatch(@"(?m)^\s+at ", run.Output);

    private string FileAt(string name)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllText(file, "");
        return file;
    }

    private static StartedProgram Script(string name, params string[] arguments) => Start([Path.Combine(RepositoryRoot.Find(), name), .. arguments]);

    private static StartedProgram Local(params string[] arguments) => Start(["dotnet", Program, .. arguments]);

    private static StartedProgram LocalWith((string Name, string Value) variable, params string[] arguments) =>
        Start(["dotnet", Program, .. arguments], variable);

    private static StartedProgram Start(string[] command, params (string Name, string Value)[] environment) =>
        StartedProgram.Start(command, environment.ToDictionary(one => one.Name, one => one.Value), Cancel);

    /// <summary>A folder with links to all programs that the path leads to but for some.</summary>
    private string PathWithout(params string[] programs)
    {
        var bin = Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName;
        foreach (var folder in Environment.GetEnvironmentVariable("PATH")!.Split(':').Where(Directory.Exists))
            foreach (var file in Directory.GetFiles(folder))
                if (!programs.Contains(Path.GetFileName(file)) && !Path.Exists(Path.Combine(bin, Path.GetFileName(file))))
                    File.CreateSymbolicLink(Path.Combine(bin, Path.GetFileName(file)), file);
        return bin;
    }

    private static string Found(string program) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, program)).First(File.Exists);

    private void Tool(string name, string script) => Executable(Path.Combine(_folder, "bin", name), script);

    private static void Executable(string file, string script)
    {
        File.WriteAllText(file, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [GeneratedRegex(@"\w+Function could not start: Runtime\.ExitError: The process of \w+ ended with 3\.\s+Its log: (\S+\.log)")]
    private static partial Regex NotStarted();
}
