using Amazon.Lambda.Core;

namespace ControlPlane.Aws;

/// <summary>Reads events and writes answers; what is no event of the kind that a function takes becomes none.</summary>
/// <remarks>Whoever may invoke a function may hand it a word, a list or an object of another shape. Without this the runtime fails before the function is
/// asked, which counts as an error of the function and rings.</remarks>
public sealed class EventSerializer(ILambdaSerializer json) : ILambdaSerializer
{
    /// <returns>The event, or null.</returns>
    public T Deserialize<T>(Stream requestStream)
    {
        try
        {
            return json.Deserialize<T>(requestStream);
        }
        catch (Exception)
        {
            // Whatever is wrong with it. The functions say what they make of none.
            return default!;
        }
    }

    public void Serialize<T>(T response, Stream responseStream) => json.Serialize(response, responseStream);
}
