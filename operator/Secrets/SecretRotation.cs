using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.SecretsManager;
using ControlPlane.Aws;
using ControlPlane.Secrets;
using ControlPlane.Text;

namespace ControlPlane.Operator.Secrets;

/// <summary>What came of rotating a part of a secret.</summary>
internal abstract record Rotated
{
    private Rotated() { }

    /// <param name="Kept">Generations before the new one that are still honoured.</param>
    /// <param name="Until">Until when the value before is; null when it is not.</param>
    /// <param name="WasMalformed">Whether what stood there could not be read, and was mended by this.</param>
    /// <param name="WasOvertaken">Whether somebody else wrote at the same time, so that one of the two is not among the generations.</param>
    public sealed record Made(string VersionId, int Kept, DateTimeOffset? Until, bool WasMalformed, bool WasOvertaken) : Rotated;

    /// <summary>The value before is still honoured, and what was made with it still under way.</summary>
    public sealed record TooSoon(DateTimeOffset Until) : Rotated;

    /// <summary>The functions would refuse the value; nothing was written.</summary>
    public sealed record Unusable(string Why) : Rotated;
}

/// <summary>Writes a new generation into a secret, beside those that are still honoured.</summary>
internal sealed class SecretRotation(IAmazonSecretsManager secrets, string secretId, SecretPart part, TimeProvider clock)
{
    private readonly SecretsManagerSource _source = new(secrets);

    /// <param name="given">The new value; null to make one.</param>
    /// <param name="isLeaked">Whether the value before is to be honoured no longer.</param>
    public async Task<Rotated> RunAsync(string? given, bool isLeaked, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        var current = await _source.ReadAsync(secretId, "AWSCURRENT", cancel) ?? throw new FormatException($"The secret {secretId} has no current version.");
        var (generations, isMalformed) = await GenerationsAsync(current, now, cancel);
        if (LastChange(generations) is { } changed && now < changed + part.Overlap && !isLeaked)
            return new Rotated.TooSoon(changed + part.Overlap);

        // Its version's own id: a value in which somebody changes something by hand is known by it.
        var (id, value) = (Guid.NewGuid().ToString(), given ?? part.Make!());
        var kept = Kept(generations, value, isLeaked, now);
        var newest = Newest(generations, current, value);
        newest[SecretGenerations.Id] = id;
        newest[SecretGenerations.At] = Rfc3339.Format(generations is [var last, ..] && TimeOf(last) > now ? TimeOf(last) : now);
        newest[SecretGenerations.Before] = new JsonArray([.. kept]);
        var text = newest.ToJsonString();
        try
        {
            part.Validate(new(id, text, now));
        }
        catch (FormatException e)
        {
            return new Rotated.Unusable(e.Message);
        }

        await secrets.PutSecretValueAsync(new() { SecretId = secretId, SecretString = text, ClientRequestToken = id }, cancel);
        var before = await _source.ReadAsync(secretId, "AWSPREVIOUS", cancel);
        var isHonoured = kept.Exists(one => Text(one, part.Member) != value);
        return new Rotated.Made(
            id, kept.Count, isHonoured ? now + part.Overlap : null, isMalformed, before is not null && before.VersionId != current.VersionId);
    }

    /// <summary>All that is honoured, newest first, as it is written; and whether the current value could not be read.</summary>
    private async Task<(List<JsonObject> Generations, bool IsMalformed)> GenerationsAsync(StoredSecret current, DateTimeOffset now, CancellationToken cancel)
    {
        var inside = TryRead(current, out var areAll);
        if (inside is not null && (areAll || now >= current.CreatedAt + part.Overlap))
            return (inside, false);
        var previous = await _source.ReadAsync(secretId, "AWSPREVIOUS", cancel) is { } stored ? TryRead(stored, out _) ?? [] : [];
        return ([.. (inside ?? []).Concat(previous).DistinctBy(one => Text(one, SecretGenerations.Id)).OrderByDescending(TimeOf)], inside is null);
    }

    /// <returns>Null when it is malformed.</returns>
    private List<JsonObject>? TryRead(StoredSecret stored, out bool areAll)
    {
        areAll = false;
        try
        {
            part.Validate(stored);
        }
        catch (FormatException)
        {
            return null;
        }
        var newest = JsonNode.Parse(stored.Text)!.AsObject();
        var before = newest[SecretGenerations.Before] as JsonArray;
        newest.Remove(SecretGenerations.Before);
        areAll = before is not null && Text(newest, SecretGenerations.Id) == stored.VersionId;
        if (!areAll)
        {
            newest[SecretGenerations.Id] = stored.VersionId;
            newest[SecretGenerations.At] = Rfc3339.Format(stored.CreatedAt);
        }
        return [newest, .. (before ?? []).Select(one => one!.DeepClone().AsObject())];
    }

    /// <summary>When this part became what it is; null when it was never another, as far as is remembered.</summary>
    private DateTimeOffset? LastChange(List<JsonObject> generations)
    {
        for (var i = 0; i + 1 < generations.Count; i++)
            if (Text(generations[i], part.Member) != Text(generations[i + 1], part.Member))
                return TimeOf(generations[i]);
        return null;
    }

    // A generation is honoured as a whole. Where a part of it has leaked it gets the new value in that part's place, so that the others are honoured on.
    private List<JsonObject> Kept(List<JsonObject> generations, string value, bool isLeaked, DateTimeOffset now)
    {
        var longest = part.Siblings.Max(one => one.Overlap);
        var kept = new List<JsonObject>();
        var replacedAt = now;
        foreach (var generation in generations)
        {
            if (now >= replacedAt + longest || (isLeaked && part.IsAlone))
                break;
            replacedAt = TimeOf(generation);
            var copy = generation.DeepClone().AsObject();
            if (isLeaked)
                copy[part.Member] = value;
            kept.Add(copy);
        }
        return kept;
    }

    /// <summary>The newest generation with the new value in it; of a secret that is filled for the first time, whatever is there, and what can be made is
    /// made.</summary>
    private JsonObject Newest(List<JsonObject> generations, StoredSecret current, string value)
    {
        var newest = generations is [var last, ..] ? last.DeepClone().AsObject() : Fields(current);
        newest[part.Member] = value;
        if (generations.Count == 0)
            foreach (var sibling in part.Siblings.Where(one => one.Make is not null && string.IsNullOrWhiteSpace(Text(newest, one.Member))))
                newest[sibling.Member] = sibling.Make!();
        return newest;
    }

    private JsonObject Fields(StoredSecret current)
    {
        try
        {
            var there = JsonNode.Parse(current.Text) as JsonObject ?? [];
            return new(part.Siblings.Where(one => Text(there, one.Member) is not null).Select(one => KeyValuePair.Create(one.Member,
                (JsonNode?)Text(there, one.Member))));
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static DateTimeOffset TimeOf(JsonObject generation) => Rfc3339.Parse(Text(generation, SecretGenerations.At)!);

    private static string? Text(JsonObject json, string name) => json[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
}
