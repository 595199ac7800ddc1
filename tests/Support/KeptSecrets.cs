using ControlPlane.Secrets;

namespace ControlPlane.Tests.Support;

/// <summary>A secret store in memory: the last two versions that were put, as Secrets Manager's stages.</summary>
public sealed class KeptSecrets : ISecretSource
{
    private StoredSecret? _current;
    private StoredSecret? _previous;

    public int CurrentReads { get; private set; }
    public bool IsDown { get; set; }

    /// <summary>One whose token root is the bytes 0 to 31.</summary>
    public static KeptSecrets WithRoot(string version, DateTimeOffset at)
    {
        var secrets = new KeptSecrets();
        secrets.PutRoot(version, at, first: 0);
        return secrets;
    }

    public void PutRoot(string version, DateTimeOffset at, byte first) =>
        Put(version, $$"""{"root":"{{Convert.ToBase64String([.. Enumerable.Range(first, 32).Select(i => (byte)i)])}}"}""", at);

    public void Put(string version, string text, DateTimeOffset at) => (_previous, _current) = (_current, new(version, text, at));

    public Task<StoredSecret?> ReadAsync(string secretId, string stage, CancellationToken cancel)
    {
        if (IsDown)
            throw new IOException("the secret store is down");
        if (stage == "AWSCURRENT")
            CurrentReads++;
        return Task.FromResult(stage == "AWSCURRENT" ? _current : _previous);
    }
}
