using System.Security.Cryptography;

namespace ControlPlane.Operator.Onboarding;

/// <summary>What <c>data-plane/host/package</c> made: an engine's host boots with it.</summary>
/// <param name="Sha256">In lower-case hexadecimal: the host boots with these bytes or not at all.</param>
internal sealed record HostPackage(string File, string Sha256)
{
    /// <summary>Its name in a bucket. Other bytes have another, so a host never finds them under the old one.</summary>
    public string Key => $"data-plane-host-{Sha256[..16]}.tar.gz";

    /// <param name="said">The file that the operator named; null for the newest of the checkout.</param>
    /// <exception cref="StepException">There is none.</exception>
    public static HostPackage Find(string checkout, string? said)
    {
        var folder = Path.Combine(checkout, ".cache", "host");
        var file = said ?? (Directory.Exists(folder) ? new DirectoryInfo(folder).GetFiles("data-plane-host-*-x64.tar.gz").MaxBy(one => one.LastWriteTimeUtc)?.FullName : null);
        if (!System.IO.File.Exists(file))
            throw new StepException($"{said ?? "The package of its host"} is not there. data-plane/host/package makes one; --package FILE names another; --no-host leaves the host to others.");
        using var bytes = System.IO.File.OpenRead(file);
        return new(file, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }
}

/// <summary>A data plane as it is wanted.</summary>
/// <param name="Known">Its stack's parameters, as the AWS CLI takes them, but for those of <paramref name="Package"/>.</param>
/// <param name="Package">Null where the host is somebody else's.</param>
internal sealed record DataPlaneWish(IReadOnlyList<string> Known, HostPackage? Package)
{
    public IReadOnlyList<string> Parameters(string bucket) =>
        Package is null ? Known : [.. Known, $"EnginePackage={bucket}/{Package.Key}", $"EnginePackageSha256={Package.Sha256}"];
}
