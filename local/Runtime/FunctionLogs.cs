using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Local.Preparation;

namespace ControlPlane.Local.Runtime;

/// <summary>A line that a function printed.</summary>
internal sealed record FunctionLine(string Function, string Text, DateTimeOffset At)
{
    /// <summary>The line without what is only for machines.</summary>
    public string InShort
    {
        get
        {
            try
            {
                if (JsonNode.Parse(Text) is not JsonObject json)
                    return Text;
                foreach (var name in new[] { "time", "timestamp", "level", "stack", "trace_id" })
                    json.Remove(name);
                var text = string.Join(", ", json.Select(member => $"{member.Key} {member.Value}"));
                return text.Length <= 400 ? text : text[..400] + " …";
            }
            catch (JsonException) { return Text; }
        }
    }

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

    public string FileOf(string function) => Path.Combine(folder, $"{function}.log");

    public void Add(string function, string text)
    {
        lock (_files)
        {
            if (!_files.TryGetValue(function, out var file))
            {
                StateFolder.CreateFolder(folder);
                _files[function] = file = new StreamWriter(FileOf(function), append: true) { AutoFlush = true };
            }

            file.WriteLine(text);
        }

        Printed?.Invoke(new(function, text, clock.GetUtcNow()));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var file in _files.Values)
            await file.DisposeAsync();
    }
}
