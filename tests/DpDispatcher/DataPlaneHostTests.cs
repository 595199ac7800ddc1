using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>What a tenant installs on its engine host, on a machine with a systemd of its own.</summary>
public sealed class DataPlaneHostTests
{
    private static readonly string[] Scripts = ["install", "database", "n8n", "prepare-n8n", "doctor", "try"];

    /// <summary>Two minutes, with a real PostgreSQL and a real n8n: only where one is named by <c>N8N_FOLDER</c>.</summary>
    [Fact]
    public async Task A_machine_becomes_a_data_plane_and_stays_one()
    {
        var folder = Environment.GetEnvironmentVariable("N8N_FOLDER");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "N8N_FOLDER names no n8n to make a data plane with");

        Script.Holds(await Script.RunAsync("data-plane/host/try", [folder]));
    }

    [Fact]
    public async Task Its_scripts_are_sound_to_shellcheck()
    {
        Assert.SkipUnless(Script.Exists("shellcheck"), "shellcheck is not installed (apt-get install shellcheck)");
        Assert.Equal((0, "\n"), await Script.RunAsync("shellcheck", Scripts.Select(name => $"data-plane/host/{name}")));
    }

    [Fact]
    public async Task Its_units_are_sound_to_systemd()
    {
        Assert.SkipUnless(Script.Exists("systemd-analyze"), "systemd-analyze is not installed (apt-get install systemd)");
        var units = Directory.GetFiles(Path.Combine(RepositoryRoot.Find(), "data-plane/host")).Where(file => Path.GetExtension(file) is ".service" or ".timer");
        foreach (var unit in units)
        {
            var (_, said) = await Script.RunAsync("systemd-analyze", ["verify", "--man=no", unit]);
            // What it starts is not installed here; whatever else it minds is a slip.
            Assert.DoesNotMatch("(?m)Unknown|Failed to parse|Invalid|not executable: (?!No such file)", said);
        }
    }
}
