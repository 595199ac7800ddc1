using System.Runtime.InteropServices;

namespace ControlPlane.Aws;

/// <summary>Whom a function believes that an endpoint is who it says.</summary>
/// <remarks>
/// Before its first connection a process reads the system's authorities: a file, and then each file of the folder beside it, where the same ones lie once or
/// twice more. That was half of a cold start over TLS, or more. They are all in the one file.
/// https://learn.microsoft.com/dotnet/standard/security/cross-platform-cryptography#x509store
/// </remarks>
public static partial class Authorities
{
    private const string FileSetting = "SSL_CERT_FILE", FolderSetting = "SSL_CERT_DIR", NoFolder = "/nonexistent";

    /// <summary>Amazon Linux's, and Debian's.</summary>
    public static readonly IReadOnlyList<string> Bundles = ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt"];

    /// <summary>To be called before the first connection.</summary>
    public static void ReadFromOneFile()
    {
        if (!OperatingSystem.IsLinux() || FileToRead(Environment.GetEnvironmentVariable, File.Exists) is not { } file)
            return;
        // OpenSSL's reader asks the C library, which does not know what .NET sets.
        _ = SetEnvironment(FileSetting, file, overwrite: 1);
        _ = SetEnvironment(FolderSetting, NoFolder, overwrite: 1);
    }

    /// <returns>Null where it is left as it is: somebody has set the folder, or there is no file that has them all.</returns>
    public static string? FileToRead(Func<string, string?> setting, Func<string, bool> exists) =>
        setting(FolderSetting) is not null ? null
        : setting(FileSetting) is { } file ? exists(file) ? file : null
        : Bundles.FirstOrDefault(exists);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
