using System.Globalization;
using System.Text.RegularExpressions;
using ControlPlane.Local.Processes;

namespace ControlPlane.Local.Preparation;

/// <summary>The programs of others that the local control plane needs.</summary>
internal static partial class Tools
{
    /// <param name="Least">The first major version that serves.</param>
    /// <param name="Package">Debian's.</param>
    private sealed record Tool(string Program, string VersionOption, Regex Version, int Least, string Package, string InWords);

    private static readonly Tool[] Needed =
    [
        new("java", "-version", JavaVersion(), 11, "default-jre-headless", "Java 11 or later, for DynamoDB Local"),
        new("node", "--version", NodeVersion(), 20, "nodejs", "Node.js 20 or later, for the queue server"),
        new("npm", "--version", NodeVersion(), 8, "npm", "npm, which comes with Node.js"),
    ];

    /// <summary>Sees to Java, Node and npm. What is missing is installed by apt-get where we may, and only if the reader says so.</summary>
    /// <param name="install">The reader said so beforehand.</param>
    /// <param name="askAsync">Asks the reader; null where nobody can answer.</param>
    /// <exception cref="CannotStart">Something is missing.</exception>
    public static async Task EnsureAsync(bool install, Func<string, Task<bool>>? askAsync, Action<string> say, CancellationToken cancel)
    {
        var missing = await MissingAsync(cancel);
        if (missing.Count == 0)
            return;
        var packages = string.Join(' ', missing.Select(one => one.Tool.Package));
        if (await MayInstallAsync(cancel) && (install || (askAsync is not null && await askAsync($"{Words(missing)} Install {packages} with apt-get?"))))
        {
            say($"installing {packages} …");
            await RunAsync("apt-get", ["update", "-qq"], cancel);
            await RunAsync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", .. missing.Select(one => one.Tool.Package)], cancel);
            missing = await MissingAsync(cancel);
            if (missing.Count == 0)
                return;
            throw new CannotStart($"{Words(missing)} apt-get has no newer one here.");
        }

        throw new CannotStart(await MayInstallAsync(cancel)
            ? $"{Words(missing)} Install it, or let ./run do that with apt-get install {packages}: ./run --install"
            : $"{Words(missing)} Install it, and try again.");
    }

    /// <exception cref="CannotStart">The program is absent or failed; the message carries what it said.</exception>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancel, string? folder = null)
    {
        var (code, said) = await TryAsync(program, arguments, cancel, folder);
        if (code != 0)
            throw new CannotStart($"{program} failed ({code}). It said:\n{said}");
    }

    private static string Words(IEnumerable<(Tool Tool, int Found)> missing) =>
        string.Join(' ', missing.Select(one => $"{(one.Found == 0 ? $"{one.Tool.Program} is missing" : $"{one.Tool.Program} {one.Found} is too old")}: it takes {one.Tool.InWords}."));

    private static async Task<IReadOnlyList<(Tool Tool, int Found)>> MissingAsync(CancellationToken cancel)
    {
        var found = await Task.WhenAll(Needed.Select(async tool => (Tool: tool, Found: await MajorAsync(tool, cancel))));
        return [.. found.Where(one => one.Found < one.Tool.Least)];
    }

    private static async Task<bool> MayInstallAsync(CancellationToken cancel) =>
        Environment.UserName == "root" && (await TryAsync("apt-get", ["--version"], cancel)).Code == 0;

    /// <returns>0 where there is none.</returns>
    private static async Task<int> MajorAsync(Tool tool, CancellationToken cancel)
    {
        var (code, said) = await TryAsync(tool.Program, [tool.VersionOption], cancel);
        return code == 0 && tool.Version.Match(said) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
    }

    private static async Task<(int Code, string Said)> TryAsync(
        string program, IEnumerable<string> arguments, CancellationToken cancel, string? folder = null)
    {
        var said = new List<string>();
        await using var process = ChildProcess.Start(program, arguments, line => { lock (said) said.Add(line); }, folder: folder);
        var code = await process.Ended.WaitAsync(cancel);
        lock (said) return (code, string.Join('\n', said));
    }

    // Java 8 calls itself "1.8". Before that line it may name the options that it picked up, with numbers of their own.
    [GeneratedRegex("""version "([0-9]+)""")]
    private static partial Regex JavaVersion();

    [GeneratedRegex(@"^v?([0-9]+)\.", RegexOptions.Multiline)]
    private static partial Regex NodeVersion();
}
