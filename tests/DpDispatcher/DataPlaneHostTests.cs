using System.Text.Json;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>What a tenant installs on its engine host, on a machine with a systemd of its own.</summary>
public sealed class DataPlaneHostTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static readonly string[] Scripts = ["install", "database", "n8n", "prepare-n8n", "doctor", "try"];

    /// <summary>Two minutes, with a real PostgreSQL and a real n8n: only where one is named by <c>N8N_FOLDER</c>.</summary>
    [Fact]
    public async Task A_machine_becomes_a_data_plane_and_stays_one()
    {
        var folder = Environment.GetEnvironmentVariable("N8N_FOLDER");
        Assert.SkipWhen(string.IsNullOrEmpty(folder), "N8N_FOLDER names no n8n to make a data plane with");

        Script.Holds(await Script.RunAsync("data-plane/host/try", [folder]));
    }

    /// <summary>What n8n keeps of a failed run holds what the run had read besides; none of it says where a token goes.</summary>
    [Fact]
    public async Task A_failed_run_is_told_to_the_hosts_own_private_API_and_nowhere_else_and_once()
    {
        Assert.SkipUnless(Script.Exists("node"), "node is not installed");
        var (ours, theirs) = (new List<string>(), new List<string>());
        await using var api = Noting(ours);
        await using var other = Noting(theirs);
        var folder = Directory.CreateTempSubdirectory("failed-runs-").FullName;
        try
        {
            // n8n's database, and the package by which it writes.
            string[] urls =
            [
                $"http://{api.Endpoint}/v1/outcomes/execution", $"http://{other.Endpoint}/v1/outcomes/execution", $"http://{api.Endpoint}@{other.Endpoint}/v1/x",
                $"http://{api.Endpoint}/v1/../v2/outcomes", $"http://{api.Endpoint}/v10/outcomes", "no address",
            ];
            Directory.CreateDirectory(Path.Combine(folder, "node_modules/n8n/node_modules/flatted"));
            await File.WriteAllTextAsync(Path.Combine(folder, "node_modules/n8n/package.json"), "{}", Cancel);
            await File.WriteAllTextAsync(Path.Combine(folder, "node_modules/n8n/node_modules/flatted/index.js"), "exports.parse = JSON.parse", Cancel);
            for (var at = 0; at < urls.Length; at++)
                await File.WriteAllTextAsync(
                    Path.Combine(folder, $"{at}.json"),
                    $$$"""{"data":[{"schema":"dispatch.v1","execution_id":"exec_{{{at}}}","callback":{"url":"{{{urls[at]}}}","token":"t"}}]}""", Cancel);
            var rows = string.Join("\\n", urls.Select((_, at) => $"{at}|{(at == 0 ? "crashed" : "error")}"));
            await File.WriteAllTextAsync(
                Path.Combine(folder, "psql"),
                $"""
                #!/bin/sh
                case "$*" in
                    *'SELECT id, status'*) printf '{rows}\n' ;;
                    *) for last; do :; done; cat "{folder}/$(echo "$last" | grep -o '[0-9]*$').json" ;;
                esac
                """, Cancel);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(Path.Combine(folder, "psql"), UnixFileMode.UserRead | UnixFileMode.UserExecute);

            for (var times = 0; times < 2; times++)
            {
                var (exit, said) = await Script.RunAsync("data-plane/host/failed-runs", [],
                    ("PATH", $"{folder}:{Environment.GetEnvironmentVariable("PATH")}"), ("N8N", folder), ("N8N_USER_FOLDER", folder),
                    ("DB_POSTGRESDB_HOST", "/nowhere"), ("PRIVATE_API", $"http://{api.Endpoint}/v1"));
                Assert.True(exit == 0, said);
                Assert.Equal(times == 0 ? urls.Length - 1 : 0, said.Split("not told, its callback is not of").Length - 1);
            }

            Assert.Empty(theirs);
            Assert.Equal(["/v1/outcomes/execution exec_0 engine_crashed"], ours);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static LoopbackServer Noting(List<string> seen) => new(async (http, cancel) =>
        {
            using var body = await JsonDocument.ParseAsync(http.Request.InputStream, default, cancel);
            lock (seen)
                seen.Add($"{http.Request.Url!.AbsolutePath} {body.RootElement.GetProperty("execution_id").GetString()} "
                    + body.RootElement.GetProperty("error").GetProperty("code").GetString());
            http.Response.StatusCode = 200;
            http.Response.Close();
        });
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
