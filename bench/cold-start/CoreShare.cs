using System.Globalization;
using ControlPlane.Local.Processes;
using ControlPlane.Local.Runtime;

namespace ControlPlane.ColdStart;

/// <summary>A share of a core, as Lambda gives one by memory: a control group in which a function is started.</summary>
/// <remarks>https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: 1,769 MB are one core.</remarks>
internal sealed class CoreShare : IDisposable
{
    private const int WholeCoreMb = 1769;

    // How often the kernel gives it out: where a share is smaller than the period, a process stands still in between.
    private const int PeriodMicroseconds = 20_000;

    private readonly string _folder;

    private CoreShare(string folder) => _folder = folder;

    /// <exception cref="CannotStart">This machine does not let us.</exception>
    public static CoreShare Of(int memoryMb)
    {
        var quota = (PeriodMicroseconds * memoryMb / WholeCoreMb).ToString(CultureInfo.InvariantCulture);
        var isSecond = File.Exists("/sys/fs/cgroup/cgroup.controllers");
        var folder = Path.Combine(isSecond ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu", $"cold-start-{Environment.ProcessId}-{memoryMb}");
        var share = new CoreShare(folder);
        try
        {
            Directory.CreateDirectory(folder);
            if (isSecond)
                File.WriteAllText(Path.Combine(folder, "cpu.max"), $"{quota} {PeriodMicroseconds}");
            else
            {
                File.WriteAllText(Path.Combine(folder, "cpu.cfs_period_us"), PeriodMicroseconds.ToString(CultureInfo.InvariantCulture));
                File.WriteAllText(Path.Combine(folder, "cpu.cfs_quota_us"), quota);
            }
            return share;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            share.Dispose();
            throw new CannotStart($"{memoryMb} MB's share of a core takes a control group, and this machine does not let us make it: {e.Message}");
        }
    }

    /// <summary>The same program, which a shell starts once it is in the group.</summary>
    public FunctionProgram Around(FunctionProgram program) => program with
    {
        Program = "/bin/sh",
        Arguments = ["-c", "echo $$ > \"$0\" && exec \"$@\"", Path.Combine(_folder, "cgroup.procs"), program.Program, .. program.Arguments],
    };

    public void Dispose()
    {
        try { Directory.Delete(_folder); }
        catch (IOException) { }                             // it is not there, or a process of it is still ending
    }
}
