using System.Text.Json;

namespace ControlPlane.Tests.Support;

/// <summary>Published test data, kept beside the project and not in it.</summary>
public static class Vectors
{
    private static readonly string Folder = Path.Combine(RepositoryRoot.Find(), "..", "shared", "vectors");

    /// <summary>Reads a vector file, or skips the running test where the files are absent.</summary>
    public static JsonDocument Read(string name)
    {
        var path = Path.Combine(Folder, name);
        Assert.SkipUnless(File.Exists(path), $"the test vectors are not beside the project: {name}");
        return JsonDocument.Parse(File.ReadAllBytes(path));
    }
}
