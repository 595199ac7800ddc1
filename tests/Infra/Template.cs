using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Infra;

/// <summary>A CloudFormation template as it is written, read as strictly as the deployment tool reads it.</summary>
internal sealed class Template
{
    private static readonly JsonDocumentOptions Strict =
        new() { AllowDuplicateProperties = false, CommentHandling = JsonCommentHandling.Disallow, AllowTrailingCommas = false };

    private Template(string name, JsonObject root) => (Name, Root) = (name, root);

    public static readonly IReadOnlyList<string> All =
    [
        "serverless.template", "infra/network.template", "infra/edge.template", "infra/tenant-data-plane.template", "infra/tenant-peering.template",
        "infra/backup.template",
    ];

    public string Name { get; }

    public JsonObject Root { get; }

    public JsonObject Resources => Root["Resources"]!.AsObject();

    public static Template Read(string name)
    {
        using var file = File.OpenRead(Path.Combine(RepositoryRoot.Find(), name));
        return new(name, JsonNode.Parse(file, documentOptions: Strict)!.AsObject());
    }

    /// <summary>A copy with an error planted in it.</summary>
    public Template With(Action<JsonObject> change)
    {
        var copy = Root.DeepClone().AsObject();
        change(copy);
        return new(Name, copy);
    }

    public IEnumerable<(string Id, JsonObject Resource)> OfType(params string[] types) =>
        Resources.Where(one => types.Contains((string?)one.Value!["Type"])).Select(one => (one.Key, one.Value!.AsObject()));
}

internal static class JsonPaths
{
    /// <summary>The node at <c>a/b/0/c</c>.</summary>
    public static JsonNode At(this JsonNode node, string path) =>
        path.Split('/').Aggregate(node,
            (at, step) => (at is JsonArray list ? list[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)] : at[step])
            ?? throw new KeyNotFoundException($"{step} of {path} is not there."));

    /// <summary>Puts a value at <c>a/b/0/c</c>, whose parent must be there.</summary>
    public static void Set(this JsonNode node, string path, JsonNode? value)
    {
        var cut = path.LastIndexOf('/');
        var parent = cut < 0 ? node : node.At(path[..cut]);
        if (parent is JsonArray list)
            list[int.Parse(path[(cut + 1)..], System.Globalization.CultureInfo.InvariantCulture)] = value;
        else
            parent[path[(cut + 1)..]] = value;
    }

    public static void Drop(this JsonNode node, string path)
    {
        var cut = path.LastIndexOf('/');
        Assert.True((cut < 0 ? node : node.At(path[..cut])).AsObject().Remove(path[(cut + 1)..]), $"{path} is not there to be dropped.");
    }

    /// <summary>The value as a list: CloudFormation lets one item stand without its brackets.</summary>
    public static IEnumerable<JsonNode> Many(this JsonNode? node) => node switch
    {
        null => [],
        JsonArray list => list.Select(item => item!),
        _ => [node],
    };

    public static IEnumerable<string> Texts(this JsonNode? node) => node.Many().Select(item => item.ToString());
}
