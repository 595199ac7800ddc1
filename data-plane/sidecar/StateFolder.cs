using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Sidecar;

/// <summary>What must survive a restart: the last epoch, and how far the machine's counters had been told.</summary>
/// <param name="BusyMs">What the kernel had counted at the last sample.</param>
internal sealed record MeterState(long Epoch, long Counter, string BootId, long BusyMs);

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
            return new(path, new FileStream(System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionException($"The state folder {path} cannot be used: {e.Message}");
        }
    }

    /// <returns>Null when there is none yet, or none that can be read: then nothing is known of the time before.</returns>
    public MeterState? Load()
    {
        try
        {
            return File.Exists(FileOf("state.json")) ? JsonSerializer.Deserialize(File.ReadAllBytes(FileOf("state.json")), StateJson.Default.MeterState) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Save(MeterState state) => Write(FileOf("state.json"), JsonSerializer.SerializeToUtf8Bytes(state, StateJson.Default.MeterState));

    public string FileOf(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file so that a crash or a power cut leaves the old one or the new one.</summary>
    public static void Write(string file, ReadOnlySpan<byte> content)
    {
        var half = file + ".new";
        using (var stream = new FileStream(half, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }
        File.Move(half, file, overwrite: true);
    }

    public void Dispose() => _lock.Dispose();
}
