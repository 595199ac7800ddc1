using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Amazon.DynamoDBv2.Model;

namespace ControlPlane.Tests.Support;

/// <summary>What goes over a wire or into a table, kept as files: a renamed field fails a test before it fails a tenant.</summary>
/// <remarks>What differs is written beside its file as <c>.new</c>. UPDATE_GOLDEN=1 writes the files anew; the diff then shows what the change means.</remarks>
public static class Golden
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="file">Beside the calling test.</param>
    public static void Matches(string file, string actual, [CallerFilePath] string test = "")
    {
        var path = Path.Combine(RepositoryRoot.Find(), FolderOf(test), file);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual + "\n");
        var kept = File.Exists(path) ? File.ReadAllText(path) : "";
        if (kept != actual + "\n")
            File.WriteAllText(path + ".new", actual + "\n");
        Assert.Equal(kept, actual + "\n");
    }

    /// <summary>JSON, indented to be read.</summary>
    public static void MatchesJson(string file, string json, [CallerFilePath] string test = "") =>
        Matches(file, JsonNode.Parse(json)!.ToJsonString(Readable), test);

    /// <summary>An item, an attribute a line, in the order of their names.</summary>
    public static string Text(IReadOnlyDictionary<string, AttributeValue> item)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in item.OrderBy(attribute => attribute.Key, StringComparer.Ordinal))
            text.Append(name).Append(": ").AppendLine(Text(value));
        return text.ToString().TrimEnd();
    }

    private static string Text(AttributeValue value) => value switch
    {
        { S: { } text } => $"S {text}",
        { N: { } number } => $"N {number}",
        { BOOL: { } flag } => $"BOOL {(flag ? "true" : "false")}",
        { B: { } bytes } => $"B {Encoding.UTF8.GetString(bytes.ToArray())}",
        { L: { } list } => $"L [{string.Join(", ", list.Select(Text))}]",
        _ => throw new ArgumentException("An attribute of a kind that no item of ours has.", nameof(value)),
    };

    // Compiled elsewhere, the path may be mapped: what counts is the part below tests.
    private static string FolderOf(string test)
    {
        var folder = Path.GetDirectoryName(test.Replace('\\', '/'))!;
        return folder[folder.LastIndexOf("tests/", StringComparison.Ordinal)..];
    }
}
