using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using ControlPlane.Local.Processes;

namespace ControlPlane.Local.Preparation;

/// <summary>The two servers that come from npm, fetched once, checked against pinned hashes and kept in <c>.cache/</c>.</summary>
internal static class Downloads
{
    private const string DynamoDbPackage = "amplify-dynamodb-simulator@2.9.30";    // carries DynamoDB Local 1.25.1
    private const string DynamoDbIntegrity = "xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ==";

    /// <returns>The folder that holds <c>DynamoDBLocal.jar</c>.</returns>
    public static Task<string> DynamoDbLocalAsync(Action<string> say, CancellationToken cancel) => OnceAsync("dynamodb-local-2.9.30", async folder =>
    {
        say("fetching DynamoDB Local (once, 57 MB) …");
        await Tools.RunAsync("npm", ["pack", "--silent", "--ignore-scripts", DynamoDbPackage], cancel, folder);
        var archive = Directory.GetFiles(folder, "*.tgz").Single();
        await using (var bytes = File.OpenRead(archive))
        {
            var hash = Convert.ToBase64String(await SHA512.HashDataAsync(bytes));
            if (hash != DynamoDbIntegrity)
                throw new CannotStart($"{DynamoDbPackage} is not what was pinned: its SHA-512 is {hash}.");
        }

        await using (var packed = File.OpenRead(archive))
        await using (var tar = new GZipStream(packed, CompressionMode.Decompress))
            await TarFile.ExtractToDirectoryAsync(tar, folder, overwriteFiles: false);
        Directory.Move(Path.Combine(folder, "package", "emulator"), Path.Combine(folder, "emulator"));
        Directory.Delete(Path.Combine(folder, "package"), recursive: true);
        File.Delete(archive);
    }, "emulator", cancel);

    /// <returns>The folder of the npm package fauxqs.</returns>
    public static Task<string> FauxqsAsync(Action<string> say, CancellationToken cancel) => OnceAsync("fauxqs-1.9.2", async folder =>
    {
        say("fetching the queue server (once, 34 MB) …");
        foreach (var file in new[] { "package.json", "package-lock.json" })
            File.Copy(Path.Combine(AppContext.BaseDirectory, "Queues", file), Path.Combine(folder, file));
        await Tools.RunAsync("npm", ["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"], cancel, folder);
    }, Path.Combine("node_modules", "fauxqs"), cancel);

    /// <summary>Prepares a folder beside its final place and moves it there whole, one process at a time.</summary>
    private static async Task<string> OnceAsync(string name, Func<string, Task> prepareAsync, string inside, CancellationToken cancel)
    {
        var ready = Path.Combine(Repository.Cache, name);
        var wanted = Path.Combine(ready, inside);
        if (Directory.Exists(wanted))
            return wanted;

        Directory.CreateDirectory(Repository.Cache);
        await using var alone = await LockAsync(Path.Combine(Repository.Cache, $"{name}.lock"), cancel);
        if (Directory.Exists(wanted))
            return wanted;

        var unfinished = ready + ".unfinished";
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);
        Directory.CreateDirectory(unfinished);
        await prepareAsync(unfinished);
        Directory.Move(unfinished, ready);
        return wanted;
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancel)
    {
        while (true)
        {
            try { return new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); }
            catch (IOException) { await Task.Delay(TimeSpan.FromMilliseconds(200), cancel); }
        }
    }
}
