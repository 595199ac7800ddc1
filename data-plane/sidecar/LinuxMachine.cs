using System.Globalization;

namespace ControlPlane.Sidecar;

/// <summary>What the kernel has counted since the machine booted.</summary>
/// <param name="BusyMs">Core-milliseconds that were not idle.</param>
/// <param name="AllMs">All core-milliseconds.</param>
internal readonly record struct CpuTimes(long BusyMs, long AllMs, int Count);

internal interface IMachine
{
    /// <summary>Changes with every boot, when all counters begin anew.</summary>
    string BootId { get; }

    CpuTimes ReadCpu();

    Memory? ReadMemory();
}

/// <summary>Reads /proc and /sys.</summary>
/// <param name="proc">Another folder of the same form, for tests.</param>
/// <param name="sys">Likewise.</param>
internal sealed class LinuxMachine(string proc = "/proc", string sys = "/sys") : IMachine
{

    // USER_HZ, in which the kernel counts for user space, is 100 on every architecture that .NET runs on.
    private const long TickMs = 10;

    public string BootId => File.ReadAllText(Path.Combine(proc, "sys/kernel/random/boot_id")).Trim();

    /// <summary>Whether NVIDIA's kernel driver has a device: without it nothing runs on a GPU, and there is nothing to meter.</summary>
    /// <remarks>The driver's folder has a link for each of its devices, named by its PCI address.</remarks>
    public bool HasGpu
    {
        get
        {
            var driver = Path.Combine(sys, "bus/pci/drivers/nvidia");
            return Directory.Exists(driver) && Directory.EnumerateFileSystemEntries(driver, "????:??:*").Any();
        }
    }

    public CpuTimes ReadCpu()
    {
        long busy = 0, all = 0;
        var count = 0;
        foreach (var line in File.ReadLines(Path.Combine(proc, "stat")))
        {
            if (!line.StartsWith("cpu", StringComparison.Ordinal))
                break;
            if (line[3] != ' ')
            {
                count++;
                continue;
            }
            // proc_stat(5): user nice system idle iowait irq softirq steal; guest time is inside user. Stolen time was another machine's.
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var ticks = fields.Skip(1).Take(8).Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToList();
            (busy, all) = ((ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) * TickMs, ticks.Sum() * TickMs);
        }
        return new(busy, all, count);
    }

    public Memory? ReadMemory()
    {
        long? total = null, available = null;
        foreach (var line in File.ReadLines(Path.Combine(proc, "meminfo")))
        {
            var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts is ["MemTotal:", var totalKiB, ..])
                total = long.Parse(totalKiB, CultureInfo.InvariantCulture) * 1024;
            else if (parts is ["MemAvailable:", var availableKiB, ..])
                available = long.Parse(availableKiB, CultureInfo.InvariantCulture) * 1024;
        }
        return total is { } all && available is { } free ? new(all - free, all) : null;
    }
}
