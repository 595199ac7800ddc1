using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Infra;

/// <summary>What instances run at their first boot: taken out of the templates, read by the tools that read such things, and run.</summary>
public sealed partial class BootScriptTests
{
    /// <summary>Slips of the kind that was once in all six: what is there, and what stands in its place.</summary>
    private static readonly Dictionary<string, string> SlipsOfNat = new()
    {
        ["masquerade\n    }\n}"] = "masquerade; } }",
        ["net.ipv4.ip_forward = 1"] = "net.ipv4.ip_forward = 0",
        ["masquerade"] = "accept",
        ["ip route replace"] = "true",
        ["retry 60 claim"] = "true",
        ["systemctl enable --now nat-check.timer"] = "true",
        ["trap tell EXIT"] = "true",
        ["retry 6 /usr/local/sbin/nat-check try"] = "true",
        ["retry 6 /usr/local/sbin/nat-check\n"] = "true\n",
        ["[ $failures -lt 3 ]"] = "[ $failures -lt 2 ]",
        ["ip netns exec nat-check timeout"] = "timeout",
    };

    private static readonly Slips NatTrials = new(SlipsOfNat.Select(one => (one.Key, one.Value)), TryNatWithAsync);

    public static TheoryData<string> NatSlips => [.. SlipsOfNat.Keys];

    /// <summary>Every user data in every template.</summary>
    public static TheoryData<string, string> UserData => [.. Template.All.SelectMany(name => Read(Template.Read(name)).Select(one => (name, one.Id)))];

    [Theory]
    [MemberData(nameof(UserData))]
    public void It_is_a_script_of_the_repository_word_for_word(string template, string resource)
    {
        var named = (string?)Template.Read(template).Resources[resource]!["Metadata"]?["Script"];

        Assert.True(named is not null, $"{resource} of {template} does not name its script.");
        Assert.Equal(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), named)), Text(template, resource));
    }

    [Theory]
    [MemberData(nameof(UserData))]
    public async Task It_is_sound_to_bash_and_to_shellcheck(string template, string resource)
    {
        using var file = new ScriptFile(Text(template, resource));

        Assert.Equal((0, "\n"), await Script.RunAsync("bash", ["-n", file.Path]));
        Assert.SkipUnless(Script.Exists("shellcheck"), "shellcheck is not installed (apt-get install shellcheck)");
        Assert.Equal((0, "\n"), await Script.RunAsync("shellcheck", [file.Path]));
    }

    [Theory]
    [InlineData("infra/network.template", "10.10")]
    [InlineData("infra/tenant-data-plane.template", "10.142")]
    public async Task A_NAT_instance_boots_and_what_stands_behind_it_reaches_the_internet(string template, string prefix)
    {
        using var file = new ScriptFile(Text(template, "NatTemplate"));

        Script.Holds(await Script.RunAsync("infra/try-nat-instance", [file.Path, prefix]));
    }

    /// <summary>Each must be seen by the trial.</summary>
    [Theory]
    [MemberData(nameof(NatSlips))]
    public Task The_trial_sees_a_slip(string there) => NatTrials.SeesAsync(there);

    [Theory]
    [InlineData("infra/network.template")]
    [InlineData("infra/tenant-data-plane.template")]
    public void Every_tag_that_a_script_reads_is_on_every_instance_of_its_groups(string template)
    {
        foreach (var (id, group) in Template.Read(template).OfType("AWS::AutoScaling::AutoScalingGroup"))
        {
            var read = Tag().Matches(Text(template, (string)group.At("Properties/LaunchTemplate/LaunchTemplateId/Ref")!))
                .Select(match => match.Groups[1].Value).ToHashSet();
            var tags = group["Properties"]!["Tags"].Many().Where(tag => (bool)tag["PropagateAtLaunch"]!)
                .ToDictionary(tag => (string)tag["Key"]!, tag => tag["Value"]!);
            Assert.Empty(read.Except(tags.Keys));
            Assert.Equal(id, (string?)tags[read.Single(name => name.EndsWith("Group", StringComparison.Ordinal))]);
        }
    }

    private static async Task<(int Exit, string Said)> TryNatWithAsync(string there, string slip)
    {
        var sound = Text("infra/network.template", "NatTemplate");
        Assert.Contains(there, sound, StringComparison.Ordinal);
        using var file = new ScriptFile(sound.Replace(there, slip, StringComparison.Ordinal));
        return await Script.RunAsync("infra/try-nat-instance", [file.Path]);
    }

    private static string Text(string template, string resource) => Read(Template.Read(template)).Single(one => one.Id == resource).Text;

    private static IEnumerable<(string Id, string Text)> Read(Template template) => template.Resources
        .Select(one => (one.Key, Data: one.Value!["Properties"]?["UserData"] ?? one.Value["Properties"]?["LaunchTemplateData"]?["UserData"]))
        .Where(one => one.Data is not null)
        .Select(one => (one.Key, Written(one.Data!["Fn::Base64"]!)));

    private static string Written(JsonNode text) => text["Fn::Join"] is { } join ? string.Join((string)join[0]!, join[1].Texts()) : text.ToJsonString();

    [GeneratedRegex("""\$\(tag (\w+)\)""")]
    private static partial Regex Tag();

    private sealed class ScriptFile : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

        public ScriptFile(string text)
        {
            File.WriteAllText(Path, text);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        public string Path => System.IO.Path.Combine(_folder.FullName, "user-data");

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
