using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Local;

/// <summary>Event shapes kept as files, so that a changed one is seen.</summary>
internal static class Golden
{
    public static void Holds(string file, JsonObject json)
    {
        var path = Path.Combine(RepositoryRoot.Find(), "tests", "Local", "Golden", file);
        var shown = JsonNode.Parse(json.ToJsonString())!.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n";
        if (!File.Exists(path)) File.WriteAllText(path + ".new", shown);
        Assert.True(File.Exists(path), $"{file} is not there; what came was written beside it.");
        Assert.Equal(File.ReadAllText(path), shown);
    }
}
