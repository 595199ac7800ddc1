using System.Security.Cryptography;
using ControlPlane.ColdStart;
using ControlPlane.Local.Preparation;
using ControlPlane.Local.Runtime;
using ControlPlane.Local.Template;

namespace ControlPlane.Peers;

/// <summary>The peer's bundles under one version of Node.js, driven by Lambda's own runtime interface client.</summary>
internal sealed record NodePeer(int Version, string Folder) : Side($"Node {Version}")
{
    public static readonly int[] Versions = [20, 22, 24];

    /// <summary>Installs what the lock file pins and bundles the peer, in a folder of the cache.</summary>
    /// <remarks>No script of a package runs but the client's own, which builds its native half with cmake and a C++ compiler.</remarks>
    public static async Task<IReadOnlyList<NodePeer>> PrepareAsync(IReadOnlyList<int> versions, CancellationToken cancel)
    {
        var (source, folder) = (Path.Combine(Repository.Root, "bench", "peers", "node"), Path.Combine(Repository.Cache, "peers"));
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(source))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);

        var locked = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(folder, "package-lock.json"), cancel)));
        var installed = Path.Combine(folder, "installed");
        if (!File.Exists(installed) || await File.ReadAllTextAsync(installed, cancel) != locked)
        {
            Console.WriteLine("installing Bolt, the AWS SDK, Lambda's client and Node.js (once) …");
            await Tools.RunAsync("npm", ["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cancel, folder);
            await Tools.RunAsync("npm", ["rebuild", "aws-lambda-ric"], cancel, folder);
            await File.WriteAllTextAsync(installed, locked, cancel);
        }
        await Tools.RunAsync("node", ["build.mjs"], cancel, folder);
        return [.. versions.Select(version => new NodePeer(version, folder))];
    }

    public override TemplateFunction As(TemplateFunction function) => function with { Handler = "index.handler" };

    /// <remarks>With the flags that Lambda starts Node.js with; those of memory hang on the function's.</remarks>
    public override FunctionProgram ProgramOf(TemplateFunction function, string entry)
    {
        var young = function.MemoryMegabytes / 10;
        return new(
            Path.Combine(Folder, "node_modules", $"node{Version}", "bin", "node"),
            [
                "--expose-gc", "--max-http-header-size=81920", $"--max-semi-space-size={young / 2}", $"--max-old-space-size={function.MemoryMegabytes - young}",
                Path.Combine(Folder, "node_modules", "aws-lambda-ric", "index.mjs"),
            ],
            PackageOf(entry));
    }

    /// <remarks>Without Node.js and the client: Lambda has them.</remarks>
    public override long PackageBytes(TemplateFunction function, string entry) => Publishing.ZippedBytes(PackageOf(entry));

    private string PackageOf(string entry) => Path.Combine(Folder, "dist", entry);
}
