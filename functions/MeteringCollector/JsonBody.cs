using ControlPlane.Http;

namespace ControlPlane.MeteringCollector;

/// <summary>The first look at a request, before any of it costs something: how large it is, and what it says it is.</summary>
internal static class JsonBody
{
    /// <param name="limit">The most bytes this endpoint takes.</param>
    public static Problem? Fault(RawRequest request, int limit)
    {
        if (request.Body.Length > limit)
            return Problem.TooLarge;
        var isPlain = !request.HasHeader("content-encoding") || (request.TryHeader("content-encoding", out var encoding) && encoding == "identity");
        return isPlain && request.IsContentType("application/json") ? null : Problem.UnsupportedMediaType;
    }
}
