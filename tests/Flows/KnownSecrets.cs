using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Flows;

/// <summary>Secrets that were really in use, and a search for them in every dress they could wear.</summary>
internal sealed class KnownSecrets
{
    private static readonly JsonSerializerOptions AsWritten = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<(string Name, string[] Dresses)> _known = [];

    public int Count => _known.Count;

    public void Add(string name, string secret)
    {
        Assert.True(secret.Length >= 8, $"{name} is too short to be looked for");
        _known.Add((name, [.. Dresses(secret).Distinct()]));
    }

    /// <summary>A token, and its signature alone.</summary>
    public void AddToken(string name, string token)
    {
        Add(name, token);
        Add($"{name}, signature", token.Split('.')[^1]);
    }

    /// <returns>The names of those that occur, each with the dress it wore.</returns>
    public IReadOnlyList<string> In(string text)
    {
        var readings = new[] { text, Unescaped(text) }.Distinct().ToList();
        return [.. from known in _known
                   from dress in known.Dresses
                   where readings.Exists(reading => reading.Contains(dress, StringComparison.OrdinalIgnoreCase))
                   select $"{known.Name} as {dress[..8]}…"];
    }

    private static IEnumerable<string> Dresses(string secret)
    {
        yield return secret;
        yield return Uri.EscapeDataString(secret);
        var bytes = Encoding.UTF8.GetBytes(secret);
        yield return Convert.ToHexString(bytes);
        for (var before = 0; before < 3; before++)
        {
            // Inside a longer text the groups of three may begin at any of its bytes; what neighbours have a part in is left out.
            var whole = Convert.ToBase64String([.. new byte[before], .. bytes]);
            var sure = whole[(((before * 8) + 5) / 6)..((before + bytes.Length) * 8 / 6)];
            yield return sure;
            yield return sure.Replace('+', '-').Replace('/', '_');
            yield return Uri.EscapeDataString(sure);
        }
    }

    // JSON may hide a plus sign as \u002B, also in JSON within JSON.
    private static string Unescaped(string text)
    {
        try
        {
            return string.Concat(Texts(JsonNode.Parse(text)).Select(value => value + "\n" + (value.StartsWith('{') ? Unescaped(value) : "")));
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => Texts(member.Value).Prepend(member.Key)),
        JsonArray items => items.SelectMany(Texts),
        null => [],
        _ => [node.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : node.ToJsonString(AsWritten)],
    };
}
