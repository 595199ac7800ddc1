using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using NSec.Cryptography;

namespace ControlPlane.Sidecar;

/// <summary>The Ed25519 key that this machine signs with. It prints as its key id and nothing else.</summary>
internal sealed class SigningKey : IDisposable
{
    private static readonly SignatureAlgorithm Algorithm = SignatureAlgorithm.Ed25519;

    private readonly Key _key;

    private SigningKey(Key key)
    {
        _key = key;
        PublicKey = key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        var x = Base64Url.EncodeToString(PublicKey);
        // RFC 7638 §3 and RFC 8037 §2: the required members in lexicographic order, without blanks.
        KeyId = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"Ed25519","kty":"OKP","x":"{{x}}"}""")));
        PublicKeyText = Convert.ToBase64String(PublicKey);
    }

    /// <summary>32 bytes.</summary>
    public byte[] PublicKey { get; }

    public string KeyId { get; }

    /// <summary>What the operator registers: 32 bytes as base64.</summary>
    public string PublicKeyText { get; }

    /// <summary>Reads PKCS#8 PEM, as <c>openssl genpkey -algorithm ed25519</c> writes it, from a file that nobody else can read.</summary>
    /// <exception cref="OptionException">There is no such key there, or others can read it.</exception>
    public static SigningKey Load(string path)
    {
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if (!File.Exists(path))
            throw new OptionException($"There is no key file {path}.");
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & others) != 0)
            throw new OptionException($"Others can read the key file {path}: chmod 600 it.");

        var text = File.ReadAllBytes(path);
        try
        {
            return Key.TryImport(Algorithm, text, KeyBlobFormat.PkixPrivateKeyText, out var key)
                ? new(key!)
                : throw new OptionException($"{path} is not an Ed25519 private key as PKCS#8 PEM.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    /// <summary>Makes a new key, in a file that nobody else can read; one that is there stays as it is.</summary>
    /// <exception cref="OptionException">The file cannot be written.</exception>
    public static void Make(string path)
    {
        if (File.Exists(path))
            return;
        using var key = Key.Create(Algorithm, new() { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });
        var text = key.Export(KeyBlobFormat.PkixPrivateKeyText);
        try
        {
            var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var file = new FileStream(path, how);
            file.Write(text);
            file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionException($"The key file {path} cannot be made: {e.Message}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    public byte[] Sign(ReadOnlySpan<byte> message) => Algorithm.Sign(_key, message);

    public override string ToString() => KeyId;

    public void Dispose() => _key.Dispose();
}
