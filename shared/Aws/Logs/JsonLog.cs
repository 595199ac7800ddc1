using System.Buffers;
using System.Globalization;
using System.Text.Json;
using ControlPlane.Text;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Aws.Logs;

/// <summary>Writes log entries as JSON, one object a line, to a stream (standard output in Lambda).</summary>
/// <remarks>Values are escaped to ASCII and cut, so that no text from outside can begin a line of its own or fill the log.</remarks>
public sealed class JsonLog(Stream output, TimeProvider clock, LogLevel least = LogLevel.Information) : ILogger
{
    private const int LongestValue = 1024;

    private readonly Lock _lock = new();

    public static JsonLog ToStandardOutput(TimeProvider clock) => new(Console.OpenStandardOutput(), clock);

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= least && logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;

        var line = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("time", Rfc3339.Format(clock.GetUtcNow()));
            json.WriteString("level", NameOf(logLevel));
            json.WriteString("event", eventId.Name);
            if (state is IReadOnlyList<KeyValuePair<string, object?>> fields)
                foreach (var (name, value) in fields)
                    WriteField(json, name, value);
            if (exception is not null)
                WriteException(json, exception);
            json.WriteEndObject();
        }
        WriteLine(line);
    }

    /// <summary>Writes one line that is JSON already: a metric.</summary>
    internal void WriteLine(ArrayBufferWriter<byte> line)
    {
        line.Write("\n"u8);
        lock (_lock)
        {
            output.Write(line.WrittenSpan);
            output.Flush();
        }
    }

    private static void WriteField(Utf8JsonWriter json, string name, object? value)
    {
        if (name == "{OriginalFormat}")
        {
            json.WriteString("message", (string?)value);
            return;
        }

        json.WritePropertyName(JsonNamingPolicy.SnakeCaseLower.ConvertName(name));
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case int number: json.WriteNumberValue(number); break;
            case long number: json.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): json.WriteNumberValue(number); break;
            case bool flag: json.WriteBooleanValue(flag); break;
            case IFormattable formattable: json.WriteStringValue(Cut(formattable.ToString(null, CultureInfo.InvariantCulture))); break;
            default: json.WriteStringValue(Cut(value.ToString() ?? "")); break;
        }
    }

    // The SDKs' messages may quote what was sent, so only types and our own frames are logged, not texts.
    private static void WriteException(Utf8JsonWriter json, Exception exception)
    {
        json.WriteString("error", exception.GetType().FullName);
        if (exception.InnerException is { } inner)
            json.WriteString("caused_by", inner.GetType().FullName);
        json.WriteString("stack", Cut(exception.StackTrace ?? ""));
    }

    private static string Cut(string text) => text.Length <= LongestValue ? text : text[..LongestValue] + "…";

    private static string NameOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
