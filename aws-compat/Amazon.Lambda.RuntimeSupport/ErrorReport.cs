using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>An exception in the words of the Runtime API, and of the log.</summary>
internal static class ErrorReport
{
    private const int LongestText = 16 * 1024;      // characters; Lambda cuts a report off at 256 KiB
    private const int DeepestCause = 5;
    private const int MostCauses = 5;

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary><c>{"errorType":…,"errorMessage":…,"stackTrace":[…],"cause":{…},"causes":[{…},…]}</c>; without what the exception does not have.</summary>
    public static byte[] Json(Exception error)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            WriteMembers(json, error, depth: 0);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>One line of JSON on standard output, as Lambda's own JSON log format has it.</summary>
    public static void Log(Exception error, string? requestId)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("timestamp", TimeProvider.System.GetUtcNow().UtcDateTime);
            json.WriteString("level", "Error");
            if (requestId is not null)
                json.WriteString("requestId", requestId);
            json.WriteString("message", requestId is null ? "The function could not start." : "The function failed.");
            WriteMembers(json, error, depth: 0);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);

        using var stdout = Console.OpenStandardOutput();
        stdout.Write(buffer.WrittenSpan);
    }

    private static void WriteMembers(Utf8JsonWriter json, Exception error, int depth)
    {
        json.WriteString("errorType", error.GetType().Name);
        json.WriteString("errorMessage", Shortened(error.Message));

        if (error.StackTrace is { } stackTrace)
        {
            json.WriteStartArray("stackTrace");
            foreach (var line in Shortened(stackTrace).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                json.WriteStringValue(line);
            json.WriteEndArray();
        }

        if (depth == DeepestCause)
            return;
        if (error.InnerException is { } cause)
        {
            json.WriteStartObject("cause");
            WriteMembers(json, cause, depth + 1);
            json.WriteEndObject();
        }
        if (error is AggregateException several)
        {
            json.WriteStartArray("causes");
            foreach (var one in several.InnerExceptions.Take(MostCauses))
            {
                json.WriteStartObject();
                WriteMembers(json, one, depth + 1);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
    }

    private static string Shortened(string text) => text.Length <= LongestText ? text : string.Concat(text.AsSpan(0, LongestText), "…");
}
