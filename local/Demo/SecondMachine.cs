using ControlPlane.Local.Peering;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;

namespace ControlPlane.Local.Demo;

/// <summary>The tenant's second machine: the sidecar that data planes really run, as a process of its own, beating every minute.</summary>
/// <remarks>The first machine's beats are made in <see cref="MeteringSidecar"/>, where the flow can show, repeat and forge each step.</remarks>
internal static class SecondMachine
{
    public const string Instance = "i-0fedcba9876543210";

    // PKCS#8 of an Ed25519 key up to its 32 bytes: RFC 8410 §7.
    private static readonly byte[] KeyPrefix = Convert.FromHexString("302e020100300506032b657004220420");

    public static ChildProcess Start(LocalControlPlane local, string state)
    {
        var folder = Directory.CreateDirectory(Path.Combine(state, "second-machine")).FullName;
        var program = FunctionProgram.Built(Preparation.Repository.Root, "data-plane/sidecar");
        var sidecar = Path.Combine(program.Folder, "metering-sidecar.dll");
        return ChildProcess.Start(
            "dotnet",
            [
                sidecar, "--url", local.PrivateApi.Endpoint.ToString(), "--tenant", DemoData.Tenant.ToString(), "--instance", Instance, "--key-file", KeyFile(folder),
                "--state", folder, "--source", RoutingTable.StandInFor(DemoData.Engine.Address).ToString(),
            ],
            line => local.Logs.Add("sidecar", line));
    }

    private static string KeyFile(string folder)
    {
        var file = Path.Combine(folder, "key.pem");
        if (!File.Exists(file))
        {
            File.WriteAllText(file, $"-----BEGIN PRIVATE KEY-----\n{Convert.ToBase64String([.. KeyPrefix, .. DemoData.SidecarSeed])}\n-----END PRIVATE KEY-----\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        return file;
    }
}
