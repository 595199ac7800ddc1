using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Sidecar;

/// <summary>What must survive a restart: the last sample that is safe, how far the machine's counters had been told by it, and what was seen since.</summary>
/// <param name="BusyMs">What the kernel had counted at that sample.</param>
/// <param name="GpuMs">The sample's total of GPU time.</param>
/// <param name="BusySeenMs">What the kernel had counted when this was written.</param>
/// <param name="GpuUntoldMs">GPU time since that sample.</param>
/// <param name="Gpus">The GPUs, and up to when the driver's samples of them are in <paramref name="GpuMs"/> or <paramref name="GpuUntoldMs"/>.</param>
internal sealed record MeterState(
    long Epoch, long Counter, string BootId, long BusyMs, double GpuMs = 0, long BusySeenMs = 0, double GpuUntoldMs = 0, IReadOnlyList<GpuMark>? Gpus = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MeterState))]
internal sealed partial class StateJson : JsonSerializerContext;

/// <summary>A folder that one sidecar has to itself.</summary>
internal sealed class StateFolder : IDisposable
{
    private readonly FileStream _lock;

    private StateFolder(string path, FileStream claimed) => (Path, _lock) = (path, claimed);

    public string Path { get; }

    /// <exception cref="OptionException">It cannot be written to, or another sidecar has it.</exception>
    public static StateFolder Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            return new(path, new FileStream(LockOf(path), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionException($"The state folder {path} cannot be used: {e.Message}");
        }
    }

    /// <summary>Whether a sidecar that runs has it.</summary>
    public static bool IsInUse(string path)
    {
        if (!File.Exists(LockOf(path)))
            return false;
        try
        {
            using var probe = new FileStream(LockOf(path), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <returns>Null when there is none yet, or none that can be read: then nothing is known of the time before.</returns>
    public MeterState? Load()
    {
        try
        {
            return File.Exists(StateFile) ? JsonSerializer.Deserialize(File.ReadAllBytes(StateFile), StateJson.Default.MeterState) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes the state, where need be over the old one: that takes no room, so that a full disk does not make usage count twice.</summary>
    public void Save(MeterState state)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(state, StateJson.Default.MeterState);
        try
        {
            Write(StateFile, json);
        }
        catch (Exception e) when ((e is IOException or UnauthorizedAccessException) && File.Exists(StateFile))
        {
            using var stream = new FileStream(StateFile, FileMode.Open, FileAccess.Write, FileShare.None);
            stream.Write(json);
            stream.SetLength(json.Length);
            stream.Flush(flushToDisk: true);
        }
    }

    public string FileOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file so that a crash or a power cut leaves the old one or the new one.</summary>
    public static void Write(string file, ReadOnlySpan<byte> content)
    {
        var half = file + ".new";
        try
        {
            using (var stream = new FileStream(half, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }
            File.Move(half, file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(half);
            throw;
        }
    }

    public void Dispose() => _lock.Dispose();

    private static string LockOf(string path) => System.IO.Path.Combine(path, "lock");

    private string StateFile => FileOf("state.json");
}
