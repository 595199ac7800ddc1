using System.Security.Cryptography;

namespace ControlPlane.AdminPanel.Look;

/// <summary>The one stylesheet, the one script and the icon, under addresses that change with them.</summary>
internal static class Asset
{
    private static readonly Dictionary<string, (string Type, byte[] Bytes, string Path)> Known = new (string Name, string Type)[]
        {
            ("panel.css", "text/css; charset=utf-8"), ("panel.js", "text/javascript; charset=utf-8"), ("panel.svg", "image/svg+xml"),
        }
        .ToDictionary(one => one.Name, one => Read(one.Name, one.Type));

    public static string PathOf(string name) => Known[name].Path;

    public static (string Type, byte[] Bytes)? Find(string name) => Known.TryGetValue(name, out var found) ? (found.Type, found.Bytes) : null;

    private static (string, byte[], string) Read(string name, string type)
    {
        using var stream = typeof(Asset).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not compiled in.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return (type, bytes, $"/assets/{name}?v={Convert.ToHexStringLower(SHA256.HashData(bytes))[..12]}");
    }
}
