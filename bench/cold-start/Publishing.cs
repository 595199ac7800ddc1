using System.Diagnostics;
using System.IO.Compression;
using ControlPlane.Local.Preparation;

namespace ControlPlane.ColdStart;

/// <summary>The native executables, as they are deployed.</summary>
internal static class Publishing
{
    public const string Empty = "empty-function";

    private static readonly string[] Projects =
        ["functions/SlackHandler", "functions/Orchestrator", "functions/DpDispatcher", "functions/MeteringCollector", "functions/AdminPanel", $"bench/{Empty}"];

    /// <returns>The folder that holds <c>&lt;project&gt;/bootstrap</c> for each.</returns>
    public static async Task<string> PublishAsync(CancellationToken cancel)
    {
        var folder = Path.Combine(Repository.Cache, "publish");
        foreach (var project in Projects) await PublishAsync(project, folder, cancel);
        return folder;
    }

    /// <summary>Publishes the empty function where only the others were.</summary>
    public static async Task EnsureEmptyAsync(string folder, CancellationToken cancel)
    {
        if (!File.Exists(Path.Combine(folder, Empty, "bootstrap"))) await PublishAsync($"bench/{Empty}", folder, cancel);
    }

    /// <summary>The size of the package that is uploaded: everything but symbols, compressed.</summary>
    public static long ZippedBytes(string folder)
    {
        using var zipped = new MemoryStream();
        using (var zip = new ZipArchive(zipped, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var file in Directory.GetFiles(folder).Where(file => !file.EndsWith(".dbg", StringComparison.Ordinal)
                && !file.EndsWith(".pdb", StringComparison.Ordinal)))
                zip.CreateEntryFromFile(file, Path.GetFileName(file), CompressionLevel.Optimal);
        return zipped.Length;
    }

    private static async Task PublishAsync(string project, string folder, CancellationToken cancel)
    {
        Console.WriteLine($"publishing {project} …");
        var platform = System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier;
        using var process =
            Process.Start("dotnet", ["publish", Path.Combine(Repository.Root, project), "-c", "Release", "-r", platform, "-o",
                Path.Combine(folder, project.Split('/').Last()), "-v", "q", "-nologo"]);
        await process.WaitForExitAsync(cancel);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{project} could not be published.");
    }
}
