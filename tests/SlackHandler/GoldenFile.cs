using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>Messages kept as files, so that a changed one is seen before its readers see it.</summary>
internal static class GoldenFile
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Fails, and leaves what came beside the file, when the two differ.</summary>
    public static void Holds(string name, string json)
    {
        var path = Path.Combine(RepositoryRoot.Find(), "tests", "SlackHandler", "Golden", $"{name}.json");
        var came = JsonNode.Parse(json)!.ToJsonString(Readable) + "\n";
        var kept = File.Exists(path) ? File.ReadAllText(path) : "";
        if (came != kept)
            File.WriteAllText(path + ".new", came);
        Assert.Equal(kept, came);
    }
}
