using ControlPlane.Sidecar;
using ControlPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Sidecar;

/// <summary>A disk that takes nothing any more: the sidecar goes on from memory, and says so.</summary>
public sealed class SpoolTests : IDisposable
{
    private readonly string _folder = RunningSidecar.NewFolder();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.FromUnixTimeSeconds(1767225600));
    private readonly FakeMachine _machine = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Samples_go_on_from_memory_in_their_order_and_to_the_disk_again_when_there_is_room()
    {
        using var sidecar = Start();
        await SampleAsync(sidecar, 100);
        FillDisk();
        await SampleAsync(sidecar, 20);
        await SampleAsync(sidecar, 3);
        Assert.Equal((3, 1), (sidecar.Spool.Count, sidecar.OnDisk.Count));
        FreeDisk();
        await SampleAsync(sidecar, 0);
        Assert.Equal([100, 120, 123, 123], sidecar.OnDisk.Select(body => body.GetProperty("totals").GetProperty("cpu_ms").GetInt64()));
        Assert.Equal(2, sidecar.Said.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.StartsWith("disk fails, goes on from memory: ", sidecar.Said, StringComparison.Ordinal);
        Assert.EndsWith("disk works again\n", sidecar.Said.ReplaceLineEndings("\n"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delivery_goes_on_without_a_disk()
    {
        await using var controlPlane = ScriptedEngine.Answering(200);
        using var sidecar = Start(controlPlane);
        await SampleAsync(sidecar, 100);
        FillDisk();
        await SampleAsync(sidecar, 20);
        await SampleAsync(sidecar, 3);
        await sidecar.Delivery.DrainAsync(Cancel);
        Assert.Equal((3, 0), (controlPlane.Requests.Count, sidecar.Spool.Count));
        FreeDisk();
    }

    [Theory]
    [InlineData(true, 5), InlineData(false, 23 + 5)]
    public async Task After_a_kill_with_a_full_disk_usage_is_counted_once(bool wasDelivered, long cpuMs)
    {
        await using var controlPlane = ScriptedEngine.Answering(200);
        using (var sidecar = Start(controlPlane))
        {
            await SampleAsync(sidecar, 100);
            await sidecar.Delivery.DrainAsync(Cancel);
            FillDisk();
            await SampleAsync(sidecar, 20);
            await SampleAsync(sidecar, 3);
            if (wasDelivered)
                await sidecar.Delivery.DrainAsync(Cancel);
        }
        _machine.Busy(5);
        FreeDisk();
        using var next = Start(controlPlane);
        await SampleAsync(next, 0);
        Assert.Equal(cpuMs, Assert.Single(next.OnDisk).GetProperty("totals").GetProperty("cpu_ms").GetInt64());
    }

    [Fact]
    public async Task Memory_has_a_bound_and_the_oldest_is_dropped_and_counted()
    {
        await using var controlPlane = ScriptedEngine.Answering(200);
        using var sidecar = Start(controlPlane);
        FillDisk();
        for (var i = 0; i < Spool.MostInMemory + 2; i++)
            await SampleAsync(sidecar, 1);
        Assert.Equal((Spool.MostInMemory, 3), (sidecar.Spool.Count, sidecar.Spool.Oldest()!.Counter));
        Assert.Contains("dropped epoch=1767225600 counter=2 dropped_so_far=2", sidecar.Said, StringComparison.Ordinal);
        FreeDisk();
    }

    [Fact]
    public void A_start_without_a_disk_that_takes_anything_is_one()
    {
        Directory.CreateDirectory(_folder);
        File.WriteAllText(Path.Combine(_folder, "waiting"), "");               // no folder can be made here
        using var state = StateFolder.Open(_folder);
        var said = new StringWriter();
        Assert.Equal(0, new Spool(state, new Journal(said)).Count);
        Assert.StartsWith("disk fails", said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sample_that_cannot_be_read_any_more_holds_back_no_other()
    {
        await using var controlPlane = ScriptedEngine.Answering(200);
        using var sidecar = Start(controlPlane);
        await SampleAsync(sidecar, 1);
        await SampleAsync(sidecar, 1);
        File.Delete(Directory.GetFiles(Path.Combine(_folder, "waiting")).Order(StringComparer.Ordinal).First());
        await sidecar.Delivery.DrainAsync(Cancel);
        Assert.Equal((1, 0), (controlPlane.Requests.Count, sidecar.Spool.Count));
    }

    // What is written goes through files of these names first: a folder in their place is a disk that takes no new file. Files that are there can be
    // written over, as on a full disk.
    private void FillDisk()
    {
        foreach (var name in new[] { "pending.json.new", "state.json.new" })
            Directory.CreateDirectory(Path.Combine(_folder, name));
    }

    private void FreeDisk()
    {
        foreach (var name in new[] { "pending.json.new", "state.json.new" })
            Directory.Delete(Path.Combine(_folder, name));
    }

    private RunningSidecar Start(params ScriptedEngine[] controlPlane) => RunningSidecar.Start(_folder, _machine, gpus: null, _clock, controlPlane);

    private async Task SampleAsync(RunningSidecar sidecar, long busyMs)
    {
        _machine.Busy(busyMs);
        await sidecar.Meter.SampleAsync(Cancel);
    }
}
