using System.Diagnostics.CodeAnalysis;

namespace ControlPlane.Http;

/// <summary>A request as it came, before anything in it is believed: the bytes of the body, the headers, who sent it.</summary>
/// <remarks>The same value for both event shapes of API Gateway.</remarks>
public sealed class RawRequest
{
    private readonly Dictionary<string, string?> _headers = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="headers">Every header line; a name that occurs twice, in whatever case, counts as repeated.</param>
    public RawRequest(
        string method, string path, IEnumerable<KeyValuePair<string, string>> headers, ReadOnlyMemory<byte> body, string? sourceIp, string requestId,
        string query = "", IReadOnlyDictionary<string, string>? pathParameters = null)
    {
        Method = method;
        Path = path;
        Body = body;
        SourceIp = sourceIp;
        RequestId = requestId;
        Query = query;
        PathParameters = pathParameters ?? new Dictionary<string, string>();
        foreach (var (name, value) in headers)
            _headers[name] = _headers.ContainsKey(name) ? null : value;
    }

    public string Method { get; }
    public string Path { get; }

    /// <summary>The bytes that were signed.</summary>
    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>The peer's address as API Gateway saw it.</summary>
    public string? SourceIp { get; }

    /// <summary>API Gateway's id of this request.</summary>
    public string RequestId { get; }

    /// <summary>The raw query string, without the question mark.</summary>
    public string Query { get; }

    public IReadOnlyDictionary<string, string> PathParameters { get; }

    /// <summary>Whether the header is there, once or more often.</summary>
    public bool HasHeader(string name) => _headers.ContainsKey(name);

    /// <summary>A header that occurs exactly once. Repeats are as good as absent: which of them would be meant?</summary>
    public bool TryHeader(string name, [NotNullWhen(true)] out string? value) => _headers.TryGetValue(name, out value) && value is not null;

    /// <summary>Whether the body is announced as this media type, parameters aside.</summary>
    public bool IsContentType(string mediaType) =>
        TryHeader("content-type", out var value)
        && value.AsSpan(0, value.IndexOf(';', StringComparison.Ordinal) is >= 0 and var end ? end : value.Length).Trim()
            .Equals(mediaType, StringComparison.OrdinalIgnoreCase);
}
