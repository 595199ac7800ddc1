namespace ControlPlane.Bench.Fuzz;

/// <summary>The inputs that are kept for each target: one of a kind, and each one that ever broke something.</summary>
internal static class Corpus
{
    public static IReadOnlyList<byte[]> Of(string root, string target) =>
        [.. Directory.GetFiles(Path.Combine(root, "bench", "fuzz", "corpus", target)).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
}
