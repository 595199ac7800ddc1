using System.Text.Json;

namespace ControlPlane.Local.Runtime;

/// <summary>A line that a function printed.</summary>
internal sealed record FunctionLine(string Function, string Text, DateTimeOffset At)
{
    /// <summary>Whether somebody should see it now: an error, or no JSON at all.</summary>
    public bool IsTrouble
    {
        get
        {
            try
            {
                using var json = JsonDocument.Parse(Text);
                return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("level", out var level)
                    && level.ToString().ToLowerInvariant() is "error" or "critical" or "fatal";
            }
            catch (JsonException) { return Text.Length > 0; }
        }
    }
}

/// <summary>What the functions print, a file for each, as CloudWatch would keep it.</summary>
internal sealed class FunctionLogs(string folder, TimeProvider clock) : IAsyncDisposable
{
    private readonly Dictionary<string, StreamWriter> _files = [];

    public event Action<FunctionLine>? Printed;

    public string Folder => folder;

    public void Add(string function, string text)
    {
        lock (_files)
        {
            if (!_files.TryGetValue(function, out var file))
            {
                Directory.CreateDirectory(folder);
                _files[function] = file = new StreamWriter(Path.Combine(folder, $"{function}.log"), append: true) { AutoFlush = true };
            }

            file.WriteLine(text);
        }

        Printed?.Invoke(new(function, text, clock.GetUtcNow()));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var file in _files.Values) await file.DisposeAsync();
    }
}
