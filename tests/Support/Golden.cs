using System.Runtime.CompilerServices;
using System.Text;
using Amazon.DynamoDBv2.Model;

namespace ControlPlane.Tests.Support;

/// <summary>What goes over a wire or into a table, kept as files: a renamed field fails a test before it fails a tenant.</summary>
/// <remarks>UPDATE_GOLDEN=1 writes the files anew; the diff then shows what the change means.</remarks>
public static class Golden
{
    /// <param name="file">Beside the calling test.</param>
    public static void Matches(string file, string actual, [CallerFilePath] string test = "")
    {
        var path = Path.Combine(RepositoryRoot.Find(), FolderOf(test), file);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual + "\n");
        Assert.True(File.Exists(path), $"{file} is missing");
        Assert.Equal(File.ReadAllText(path), actual + "\n");
    }

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
