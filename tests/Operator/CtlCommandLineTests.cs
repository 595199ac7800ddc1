using System.Diagnostics;
using System.Xml.Linq;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Text;

namespace ControlPlane.Tests.Operator;

public sealed class CtlCommandLineTests(LocalCloud cloud)
{
    [Theory]
    [InlineData("tenant", "Say what to do: onboard, offboard, register, list, show", "See ./ctl tenant --help")]
    [InlineData("tennant list", "'tennant' is not one of tenant, slack, key")]
    [InlineData("tenant frob", "'frob' is not one of onboard, offboard, register")]
    [InlineData("tenant list --outptu json", "--outptu")]
    [InlineData("tenant list --output xml", "xml", "See ./ctl tenant list --help")]
    [InlineData("tenant register tenant-7", "--name", "See ./ctl tenant register --help")]
    [InlineData("tenant show", "show", "See ./ctl tenant show --help")]
    [InlineData("tenant list --local --stack control-plane", "leave out --stack and --region")]
    [InlineData("tenant show \u001b[2J", "is no tenant")]
    public async Task What_cannot_be_understood_is_one_line_and_exit_code_2(string line, params string[] words) =>
        (await OperatorFixture.SayAsync(TimeProvider.System, line.Split(' '))).Refuses(2, words);

    [Fact]
    public async Task Nothing_said_shows_the_help()
    {
        var said = await OperatorFixture.SayAsync(TimeProvider.System);
        Assert.Equal((0, ""), (said.Exit, said.Error));
        Assert.All(
            ["tenant", "slack", "key", "engine-key", "workflow", "group", "execution", "usage", "metering", "health", "dlq", "--local", "--stack"],
            word => Assert.Contains(word, said.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_version_is_the_one_that_the_functions_answer_with()
    {
        var start = new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "ControlPlane.Operator.dll"), "--version"])
        { RedirectStandardOutput = true };
        using var ctl = Process.Start(start)!;
        var said = await ctl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);

        var written = XDocument.Load(Path.Combine(RepositoryRoot.Find(), "Directory.Build.props")).Descendants("Version").Single().Value;
        Assert.Equal((written, written), (said.Trim(), Release.Version));
    }

    [Fact]
    public async Task The_examples_work_as_they_are_written()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.DoAsync("tenant register tenant-7 --name Acme --slack-team T0007 --engine 10.106.128.10:5678");
        await ctl.DoAsync(
            "tenant register tenant-43 --name Acme --slack-team T0043 --engine 10.142.1.10:5678 --allow-public-subnet --monthly-quota 1000 --concurrency 10");
        await ctl.DoAsync(
            "key add tenant-7 --public-key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= --instance i-0abc1234def567890 --not-after 2027-01-01T00:00:00Z");
        await ctl.DoAsync("workflow publish tenant-7 wf_sched --path wf_sched --param 'city:string:required' --deadline 60m --idempotent --allow-user U1");
        await ctl.DoAsync("slack link tenant-7 T0008");
        await ctl.DoAsync("dlq list");
    }

    [Theory]
    [InlineData("0s", 0), InlineData("90s", 90), InlineData("60m", 3600), InlineData("1h30m", 5400), InlineData("24h", 86400), InlineData("1h1m1s", 3661)]
    public void Durations_are_read(string text, int seconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
        Assert.True(Duration.TryParse(Duration.Format(duration), out var again));
        Assert.Equal(duration, again);
    }

    [Theory]
    [InlineData(""), InlineData("60"), InlineData("-1h"), InlineData("1.5h"), InlineData("1m1h"), InlineData("1h "), InlineData("1h\n"), InlineData("9999999h"),
        InlineData("٣h")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(Duration.TryParse(text, out _));
}
