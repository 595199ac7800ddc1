using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ControlPlane.Local.Preparation;

/// <summary>The programs of others that the local control plane needs.</summary>
internal static partial class Tools
{
    /// <summary>Java 11 or later and Node 20 or later with npm; installs what is absent where apt-get may.</summary>
    public static async Task EnsureAsync(Action<string> say)
    {
        await EnsureAsync("java", "-version", 11, "default-jre-headless", "a Java runtime, 11 or later (DynamoDB Local)", say);
        await EnsureAsync("node", "--version", 20, "nodejs", "Node.js, 20 or later (the queue server)", say);
        await EnsureAsync("npm", "--version", 8, "npm", "npm, which comes with Node.js", say);
    }

    /// <exception cref="InvalidOperationException">The program is absent or failed; the message carries what it said.</exception>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        var (code, said) = await TryAsync(program, arguments, folder);
        if (code != 0)
            throw new InvalidOperationException($"{program} failed{(code is null ? ": it is not installed" : $" ({code})")}.\n{said}");
    }

    private static async Task EnsureAsync(string program, string versionOption, int least, string package, string inWords, Action<string> say)
    {
        if (await MajorAsync(program, versionOption) >= least)
            return;
        if (Environment.UserName == "root" && File.Exists("/usr/bin/apt-get"))
        {
            say($"installing {package} …");
            await TryAsync("apt-get", ["update", "-qq"]);
            await TryAsync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", package]);
            if (await MajorAsync(program, versionOption) >= least)
                return;
        }

        throw new MissingTool($"{program} is missing or too old: install {inWords}, and try again.");
    }

    private static async Task<int> MajorAsync(string program, string versionOption)
    {
        var (code, said) = await TryAsync(program, [versionOption]);
        return code == 0 && FirstNumber().Match(said) is { Success: true } number ? int.Parse(number.Value, CultureInfo.InvariantCulture) : 0;
    }

    private static async Task<(int? Code, string Said)> TryAsync(string program, IEnumerable<string> arguments, string? folder = null)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder ?? "",
            })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, await output + await errors);
        }
        catch (Win32Exception) { return (null, ""); }    // no such program
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex FirstNumber();
}

/// <summary>Something that only the reader can install.</summary>
internal sealed class MissingTool(string message) : Exception(message);
