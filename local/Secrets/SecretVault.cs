using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Local.Preparation;

namespace ControlPlane.Local.Secrets;

internal sealed record SecretVersion(string VersionId, string Text, DateTimeOffset Created, IReadOnlyList<string> Stages);

internal sealed class SecretNotFound(string message) : Exception(message);

internal sealed class SecretVersionTaken(string message) : Exception(message);

/// <summary>Secrets with their versions and stages, in memory and, if a file is named, in that file.</summary>
internal sealed class SecretVault
{
    private const string Current = "AWSCURRENT", Previous = "AWSPREVIOUS";

    private readonly string? _file;
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, List<SecretVersion>> _secrets;

    /// <exception cref="Processes.CannotStart">The file is damaged.</exception>
    public SecretVault(string? file, TimeProvider clock)
    {
        (_file, _clock) = (file, clock);
        _secrets = file is not null && File.Exists(file) ? Read(file) : [];
    }

    /// <returns>Versions, oldest first; empty for a name that is not there.</returns>
    public IReadOnlyList<SecretVersion> VersionsOf(string name)
    {
        lock (_secrets) return _secrets.TryGetValue(name, out var versions) ? [.. versions] : [];
    }

    /// <exception cref="SecretNotFound">No such secret, version or stage.</exception>
    public SecretVersion Get(string name, string? versionId, string? stage)
    {
        lock (_secrets)
        {
            var versions = _secrets.GetValueOrDefault(name) ?? throw new SecretNotFound("Secrets Manager can't find the specified secret.");
            return versions.LastOrDefault(
                one => (versionId is null || one.VersionId == versionId) && (versionId is not null && stage is null || one.Stages.Contains(stage ?? Current)))
                ?? throw new SecretNotFound($"Secrets Manager can't find the specified secret value for {(versionId is null ? $"staging label: {stage ?? Current}" : $"VersionId: {versionId}")}");
        }
    }

    /// <summary>Adds a version. Unless other stages are named it becomes AWSCURRENT, and the one that was becomes AWSPREVIOUS.</summary>
    /// <exception cref="SecretNotFound">The secret must be there, unless <paramref name="create"/>.</exception>
    /// <exception cref="SecretVersionTaken">The version id has another text already.</exception>
    public SecretVersion Put(string name, string text, string? versionId = null, IReadOnlyList<string>? stages = null, bool create = false)
    {
        lock (_secrets)
        {
            if (!_secrets.TryGetValue(name, out var versions))
                _secrets[name] = versions = create ? [] : throw new SecretNotFound("Secrets Manager can't find the specified secret.");
            if (versions.Find(one => one.VersionId == versionId) is { } there)
                return there.Text == text ? there : throw new SecretVersionTaken($"A version {versionId} with other content exists.");

            stages ??= [Current];
            if (stages.Contains(Current) && versions.Find(one => one.Stages.Contains(Current)) is { } replaced)
            {
                Take(versions, [Previous, Current]);
                var index = versions.FindIndex(one => one.VersionId == replaced.VersionId);
                versions[index] = versions[index] with { Stages = [.. versions[index].Stages, Previous] };
            }

            Take(versions, stages);
            var added = new SecretVersion(versionId ?? Guid.NewGuid().ToString(), text, _clock.GetUtcNow(), stages);
            versions.Add(added);
            Keep();
            return added;
        }
    }

    private static void Take(List<SecretVersion> versions, IReadOnlyList<string> stages)
    {
        for (var i = 0; i < versions.Count; i++)
            versions[i] = versions[i] with { Stages = [.. versions[i].Stages.Except(stages)] };
    }

    private void Keep()
    {
        if (_file is null)
            return;
        StateFolder.Write(_file, JsonSerializer.Serialize(_secrets, VaultJson.Default.DictionaryStringListSecretVersion));
    }

    private static Dictionary<string, List<SecretVersion>> Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(file), VaultJson.Default.DictionaryStringListSecretVersion) is { } secrets
                && secrets.Values.All(versions => versions is not null && !versions.Contains(null!))
                ? secrets
                : throw new JsonException();
        }
        catch (JsonException)
        {
            throw StateFolder.Unreadable(file, "new secrets are made, and tokens under way are no longer believed");
        }
    }
}

[JsonSerializable(typeof(Dictionary<string, List<SecretVersion>>))]
[JsonSourceGenerationOptions(WriteIndented = true, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
internal sealed partial class VaultJson : JsonSerializerContext;
