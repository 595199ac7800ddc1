using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Tenants;

namespace ControlPlane.DpDispatcher;

/// <summary>Posts a dispatch to an engine, and says what is known of its arrival.</summary>
internal sealed class DataPlaneClient(DispatchLimits limits, ConnectRoutes routes, TimeProvider clock) : IDisposable
{
    // A connection that turns out to be dead before it took the request costs nothing but another one.
    private const int Connections = 3;

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectCallback = new EngineConnections(routes, clock).ConnectAsync,
        ConnectTimeout = limits.Connect,
        MaxConnectionsPerServer = TenantGates.TriesAtOnce,
        MaxResponseHeadersLength = limits.AnswerHeaderKiB,
        MaxResponseDrainSize = 0,
        PooledConnectionIdleTimeout = EngineConnections.KeptIdle,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
    });

    /// <inheritdoc cref="DispatchLimits.Lease"/>
    public TimeSpan Lease => limits.Lease;

    public async Task<EngineAnswer> SendAsync(Engine engine, DispatchOrder order, CancellationToken cancel)
    {
        using var budget = new CancellationTokenSource(limits.Whole, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(budget.Token, cancel);
        for (var connection = 1; ; connection++)
        {
            using var body = new OrderBody(order.Body);
            try
            {
                using var request = RequestFor(engine, order, body);
                using var response = await _http.SendAsync(request, either.Token);
                return ToAnswer(response, await DrainAsync(response, either.Token));
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                if (WasUnsent(e, body) && connection < Connections && e is HttpRequestException && body.WasBegun)
                    continue;
                return WhatIsKnownAfter(e, body);
            }
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>The request from its parts: a checked literal, a fixed port and a checked path cannot spell another address.</summary>
    internal static HttpRequestMessage RequestFor(Engine engine, DispatchOrder order, HttpContent body)
    {
        var url = new UriBuilder(Uri.UriSchemeHttp, engine.Address.ToString(), EngineAddress.Port, $"/webhook/{order.Path}").Uri;
        var request =
            new HttpRequestMessage(HttpMethod.Post, url)
            {
                Version = HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = body
            };
        request.Options.Set(EngineConnections.EngineOf, engine);
        request.Headers.Authorization = new("Bearer", order.Token);
        request.Headers.ExpectContinue = false;
        request.Headers.Add("Idempotency-Key", order.Execution.ToString());
        request.Headers.Add("traceparent", $"00-{order.Execution.TraceId}-{NewSpanId()}-01");
        request.Headers.Add("User-Agent", "control-plane-dispatcher/1");
        return request;
    }

    private static EngineAnswer WhatIsKnownAfter(Exception e, OrderBody body) =>
        Cause<AddressRefusedException>(e) is not null ? new EngineAnswer.AddressRefused()
        : WasUnsent(e, body) ? new EngineAnswer.NotReached(Cause<NotRoutedException>(e)?.Message)
        : Cause<NotHttpException>(e) is not null ? new EngineAnswer.NotAnEngine()
        : new EngineAnswer.Lost();

    /// <remarks>
    /// The handler writes the head and the body together, after it asked for the body: a body never asked for was never sent, and neither
    /// was one whose write failed. Anything later may have arrived. The handler itself repeats no request whose body it asked for.
    /// </remarks>
    private static bool WasUnsent(Exception e, OrderBody body) => !body.WasBegun || Cause<UnsentException>(e) is not null;

    private static T? Cause<T>(Exception e) where T : Exception
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
            if (cause is T found)
                return found;
        return null;
    }

    private EngineAnswer.Answered ToAnswer(HttpResponseMessage response, string beginning) =>
        new((int)response.StatusCode, MediaTypeOf(response), RetryAfterOf(response), beginning);

    private static string? MediaTypeOf(HttpResponseMessage response) =>
        response.Content.Headers.TryGetValues("Content-Type", out var values) && values.Count() == 1 ? response.Content.Headers.ContentType?.MediaType : null;

    // Said twice it is not usable, and neither is what the library cannot read: it gives null for fractions, signs, words and numbers that overflow.
    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Retry-After", out var values) || values.Count() != 1 || response.Headers.RetryAfter is not { } asked)
            return null;
        return asked.Delta ?? asked.Date - clock.GetUtcNow();
    }

    /// <summary>Reads the rest within bounds. What an answer means is in its head and its first bytes, so an end that is long, slow or broken only costs the
    /// connection.</summary>
    /// <returns>How the body begins, as far as it came.</returns>
    private async Task<string> DrainAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var beginning = new byte[EngineAnswer.Answered.LongestBeginning];
        var kept = 0;
        using var patience = new CancellationTokenSource(limits.Drain, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
        try
        {
            await using var rest = await response.Content.ReadAsStreamAsync(either.Token);
            var isTooLong = response.Content.Headers.ContentLength > limits.AnswerBytes;
            var buffer = new byte[4096];
            for (var total = 0; total <= limits.AnswerBytes && !(isTooLong && kept == beginning.Length);)
            {
                var read = await rest.ReadAsync(buffer, either.Token);
                if (read == 0)
                    break;
                var more = Math.Min(read, beginning.Length - kept);
                buffer.AsSpan(0, more).CopyTo(beginning.AsSpan(kept));
                kept += more;
                total += read;
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            // What came has decided.
        }
        return InOneLine(beginning.AsSpan(0, kept));
    }

    /// <summary>Text that can be shown on a terminal: whatever is no visible character is a blank.</summary>
    private static string InOneLine(ReadOnlySpan<byte> bytes) => string.Concat(Encoding.UTF8.GetString(bytes).EnumerateRunes().Select(rune =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
            ? " " : rune.ToString()));

    private static string NewSpanId()
    {
        Span<byte> id = stackalloc byte[8];
        do RandomNumberGenerator.Fill(id);
        while (!id.ContainsAnyExcept((byte)0));             // W3C Trace Context §3.2.2.4: all zero is invalid
        return Convert.ToHexStringLower(id);
    }

    /// <summary>The stored bytes, and whether they were ever asked for.</summary>
    private sealed class OrderBody : HttpContent
    {
        private readonly byte[] _bytes;

        public OrderBody(byte[] bytes)
        {
            _bytes = bytes;
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
            Headers.ContentLength = bytes.Length;
        }

        public bool WasBegun { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            WasBegun = true;
            await stream.WriteAsync(_bytes, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _bytes.Length;
            return true;
        }
    }
}
