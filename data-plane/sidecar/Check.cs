using System.Globalization;
using System.Net;
using System.Text.Json;

namespace ControlPlane.Sidecar;

/// <summary>Says, a line each, what the sidecar needs and whether it has it. Nothing is reported and nothing is left behind.</summary>
internal sealed class Check(SidecarOptions options, IReadOnlyList<SigningKey> keys, TextWriter output, TimeProvider clock)
{
    /// <summary>The control plane takes a signature whose time is this far from its own.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(300);

    private bool _isWell = true;

    /// <returns>Whether everything is in order.</returns>
    public async Task<bool> RunAsync(CancellationToken stop)
    {
        Well("identity", $"{options.Instance} of {options.Tenant}");
        foreach (var key in keys)
            Well("key", key.KeyId);
        CheckStateFolder();
        foreach (var url in options.Urls)
            await CheckControlPlaneAsync(url, stop);
        await CheckGpusAsync(stop);
        return _isWell;
    }

    // Nothing stays behind: whoever looks may be root, and the sidecar could not use what is root's.
    private void CheckStateFolder()
    {
        var (folder, probe) = (options.StateFolder, Path.Combine(options.StateFolder, "check"));
        try
        {
            StateFolder.Write(probe, [0]);
            File.Delete(probe);
            Well("state", StateFolder.IsInUse(folder) ? $"{folder}, in use by the sidecar that runs" : folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Amiss("state", e.Message);
        }
    }

    private async Task CheckControlPlaneAsync(Uri url, CancellationToken stop)
    {
        var keySet = url.Of($"tenants/{options.Tenant}/jwks.json");
        try
        {
            using var http = ControlPlaneHttp.Client(options.SourceAddress);
            using var answer = await http.GetAsync(keySet, stop);
            var (now, theirs) = (clock.GetUtcNow(), answer.Headers.Date);
            if (answer.StatusCode != HttpStatusCode.OK || !IsKeySet(await answer.Content.ReadAsByteArrayAsync(stop)))
            {
                Amiss("control plane", $"{keySet} answers {(int)answer.StatusCode}, and not with this tenant's key set: is the URL the private API's, with its stage?");
                return;
            }
            Well("control plane", url.ToString());
            if (theirs is { } date)
                CheckClock(now - date);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException && !stop.IsCancellationRequested)
        {
            Amiss("control plane", $"{url} does not answer: {e.Message}");
        }
    }

    private void CheckClock(TimeSpan ahead)
    {
        var seconds = ahead.TotalSeconds.ToString("F0", CultureInfo.InvariantCulture);
        if (ahead.Duration() < Tolerance)
            Well("clock", $"{seconds} s ahead of the control plane's");
        else
            Amiss("clock", $"{seconds} s ahead of the control plane's, which takes {Tolerance.TotalSeconds} s either way: is NTP running?");
    }

    private async Task CheckGpusAsync(CancellationToken stop)
    {
        using var gpus = new GpuWatch(options.Nvml, options.NvidiaSmi, () => new LinuxMachine().HasGpu, [], new Journal(TextWriter.Null), clock);
        var reading = await gpus.ReadAsync(stop);
        if (reading.Faults is [var fault, ..])
            Amiss("GPUs", fault);
        else
            Well("GPUs", reading.Gpus is [] ? "none" : string.Join(", ", reading.Gpus.Select(use => use.Gpu.Model)));
    }

    private static bool IsKeySet(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.TryGetProperty("keys", out var keys) && keys.GetArrayLength() > 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private void Well(string what, string how) => output.WriteLine($"ok    {what}: {how}");

    private void Amiss(string what, string why)
    {
        _isWell = false;
        output.WriteLine($"NOT   {what}: {why}");
    }
}
