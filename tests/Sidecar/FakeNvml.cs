using System.Diagnostics;
using System.Globalization;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Sidecar;

/// <summary>NVIDIA's library as <c>fake-nvml.c</c> plays it, built with gcc.</summary>
internal sealed class FakeNvml
{
    private readonly string _script;
    private readonly List<string> _facts = ["init 0", "count 0 1"];

    private FakeNvml(string library, string script) => (Library, _script) = (library, script);

    /// <summary>Where it is.</summary>
    public string Library { get; }

    /// <param name="defines">What this version lacks: <c>OLD</c>, <c>WITHOUT_SAMPLES</c>, <c>WITHOUT_COUNTERS</c>.</param>
    public static FakeNvml Build(string folder, params string[] defines)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/gcc"), "no gcc to build the library with");
        var fake = new FakeNvml(Path.Combine(folder, "libnvidia-ml.so.1"), Path.Combine(folder, "script"));
        var source = Path.Combine(RepositoryRoot.Find(), "tests", "Sidecar", "fake-nvml.c");
        using var gcc = Process.Start(
            "gcc", ["-shared", "-fPIC", $"-DSCRIPT=\"{fake._script}\"", .. defines.Select(define => $"-D{define}"), "-o", fake.Library, source])!;
        gcc.WaitForExit();
        Assert.Equal(0, gcc.ExitCode);
        fake.Says();
        return fake;
    }

    /// <summary>Adds facts, in place of those that begin alike up to their last name or number.</summary>
    public void Says(params string[] facts)
    {
        foreach (var fact in facts)
        {
            var words = fact.Split(' ');
            var key = string.Join(' ', words.Take(words[0] is "init" or "count" ? 1 : words[0] is "instance" ? 3 : 2));
            _facts.RemoveAll(one => one.StartsWith(key + " ", StringComparison.Ordinal) || one == key);
            _facts.Add(fact);
        }
        Write();
    }

    public void Forgets(string begin)
    {
        _facts.RemoveAll(one => one.StartsWith(begin, StringComparison.Ordinal));
        Write();
    }

    /// <summary>A GPU that the driver samples.</summary>
    public void HasGpu(int index, string uuid, int samplesReturn = 0, int valueType = 1, int handleReturn = 0, int ratesReturn = 3, int percent = 0) => Says(
        string.Create(CultureInfo.InvariantCulture, $"count 0 {index + 1}"),
        string.Create(CultureInfo.InvariantCulture, $"gpu {index} {handleReturn} {uuid} {samplesReturn} {valueType} {ratesReturn} {percent}"));

    /// <summary>What the driver notes of a GPU's last seconds, up to now: at the end of each period, how busy it was.</summary>
    public void Samples(int index, DateTimeOffset until, TimeSpan last, Func<DateTimeOffset, double> percentAt, int periodMs = 200)
    {
        for (var at = until - last + TimeSpan.FromMilliseconds(periodMs); at <= until; at += TimeSpan.FromMilliseconds(periodMs))
            _facts.Add(string.Create(CultureInfo.InvariantCulture, $"sample {index} {(at - DateTimeOffset.UnixEpoch).Ticks / 10} {percentAt(at)}"));
        Write();
    }

    // At once, for a reader that is under way.
    private void Write()
    {
        File.WriteAllLines(_script + ".new", _facts);
        File.Move(_script + ".new", _script, overwrite: true);
    }
}
