// dotnet publish -c Release bench/dispatch -o /tmp/dispatch && /tmp/dispatch/ControlPlane.Bench.Dispatch [seconds] [tenants]
// The dispatcher's whole path, in batches of ten as Lambda hands them over. (dotnet run -c Release does for a first look, with the JIT.)
// The engine is a process of its own (this program again), so that processor time and memory below are the dispatcher's alone.

using System.Diagnostics;
using System.Globalization;
using ControlPlane.Bench.Dispatch;

if (args is ["engine"])
{
    await LoopbackEngine.ServeAsync(TimeSpan.FromMilliseconds(5));
    return;
}

var seconds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 20;
var tenants = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5;
using var engine =
    Process.Start(new ProcessStartInfo(Environment.ProcessPath!,
        Path.GetFileName(Environment.ProcessPath) == "dotnet" ? [Environment.GetCommandLineArgs()[0], "engine"] : ["engine"])
    {
        RedirectStandardOutput = true,
    })!;
try
{
    var port = int.Parse((await engine.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
    await new DispatchBench(port, tenants).RunAsync(TimeSpan.FromSeconds(seconds));
}
finally
{
    engine.Kill();
}
