using System.Text.Json;
using ControlPlane.Text;

namespace ControlPlane.Secrets;

/// <summary>A secret's value with every generation that is still honoured: the newest one's members, its <c>id</c> and <c>at</c>, and <c>before</c>, those
/// before it, newest first.</summary>
/// <remarks>Secrets Manager itself remembers one version back. With the generations inside, two rotations in a row lose none, nor does a value that had to be
/// mended.
/// The newest one's id is its version's, so a value that somebody changed by hand is known: it is a generation of its own, as is one without <c>before</c>, and
/// the
/// version before it is honoured beside it.</remarks>
public static class SecretGenerations
{
    public const string Id = "id", At = "at", Before = "before";

    /// <returns>The generations of a stored value, newest first; and whether they are all there are, or the version before it holds more.</returns>
    /// <param name="parse">Reads one generation; throws <see cref="FormatException"/> for one that is no such secret.</param>
    /// <exception cref="FormatException">The value is malformed. The message does not quote it.</exception>
    public static (IReadOnlyList<SecretVersion<T>> Generations, bool AreAll) Read<T>(StoredSecret stored, Func<string, T> parse)
    {
        // What is no object at all is left to whoever parses it, who says so in its own words.
        if (!StrictJson.TryParseObject(stored.Text, out var newest) || !newest.TryGetProperty(Before, out var before))
            return ([new(stored.VersionId, parse(stored.Text), stored.CreatedAt)], false);
        if (before.ValueKind != JsonValueKind.Array)
            throw Malformed();

        var isUntouched = StrictJson.TextOf(newest, Id) == stored.VersionId;
        List<SecretVersion<T>> read =
        [
            isUntouched ? Read(newest, parse) : new(stored.VersionId, parse(stored.Text), stored.CreatedAt),
            .. before.EnumerateArray().Select(one => Read(one, parse)),
        ];
        if (read.Zip(read.Skip(1)).Any(pair => pair.First.CreatedAt < pair.Second.CreatedAt) || read.DistinctBy(one => one.VersionId).Count() < read.Count)
            throw Malformed();
        return (read, isUntouched);
    }

    private static SecretVersion<T> Read<T>(JsonElement generation, Func<string, T> parse) =>
        StrictJson.TextOf(generation, Id) is { Length: > 0 and <= 64 } id && Rfc3339.TryParse(StrictJson.TextOf(generation, At), out var at)
            ? new(id, parse(generation.GetRawText()), at)
            : throw Malformed();

    private static FormatException Malformed() =>
        new("The secret's generations are not what a rotation writes: {\"id\",\"at\",…,\"before\":[…]}, newest first.");
}
