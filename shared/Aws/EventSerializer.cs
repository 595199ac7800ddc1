using System.Text.Json;
using Amazon.Lambda.Core;

namespace ControlPlane.Aws;

/// <summary>Reads events and writes answers; what is no event of the kind that a function takes becomes none.</summary>
/// <remarks>Whoever may invoke a function may hand it a word, a list or an object of another shape. Without this the runtime fails before the function is
/// asked, which counts as an error of the function and rings. What a queue or an API did send, and cannot be read, is such an error: as none, messages would
/// be deleted and requests refused that are nobody's fault but ours.</remarks>
public sealed class EventSerializer(ILambdaSerializer json) : ILambdaSerializer
{
    /// <returns>The event, or null.</returns>
    public T Deserialize<T>(Stream requestStream)
    {
        using var again = new MemoryStream();
        requestStream.CopyTo(again);
        again.Position = 0;
        try
        {
            return json.Deserialize<T>(again);
        }
        catch (Exception) when (!IsOfASource(again.GetBuffer().AsSpan(0, (int)again.Length)))
        {
            // Whatever is wrong with it. The functions say what they make of none.
            return default!;
        }
    }

    public void Serialize<T>(T response, Stream responseStream) => json.Serialize(response, responseStream);

    // As AWS's services write their events: a batch has records, a request its context.
    private static bool IsOfASource(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var root = JsonElement.Parse(utf8);
            return root.ValueKind == JsonValueKind.Object
                && ((root.TryGetProperty("Records", out var records) && records.ValueKind == JsonValueKind.Array && records.GetArrayLength() > 0)
                    || (root.TryGetProperty("requestContext", out var context) && context.ValueKind == JsonValueKind.Object));
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
