using System.Net;
using System.Net.Sockets;
using System.Text;
using ControlPlane.DpDispatcher;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>The one HTTP call to an engine, against servers that misbehave as told.</summary>
public sealed class DataPlaneClientTests
{
    private const string Address = "10.142.128.10";
    private static readonly DispatchLimits Limits = new(
        TimeSpan.FromMilliseconds(400), TimeSpan.FromSeconds(1.5), TimeSpan.FromMilliseconds(150), 64 * 1024, 16);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(200), InlineData(201), InlineData(202), InlineData(409), InlineData(500), InlineData(301)]
    public async Task An_answer_is_reported_as_it_came(int status)
    {
        await using var engine = ScriptedEngine.Answering(status);
        Assert.Equal(new EngineAnswer.Answered(status, "application/json", null, "{}"), await SendAsync(engine));
    }

    [Fact]
    public async Task No_content_needs_no_type()
    {
        await using var engine = ScriptedEngine.Answering(204, contentType: null);
        Assert.Equal(new EngineAnswer.Answered(204, null, null), await SendAsync(engine));
    }

    [Fact]
    public async Task A_booting_n8n_is_reported_with_its_html_page()
    {
        await using var engine = ScriptedEngine.Answering(200, "text/html; charset=utf-8", "n8n is starting up. Please wait");
        var answer = await SendAsync(engine);
        Assert.Equal(new EngineAnswer.Answered(200, "text/html", null, "n8n is starting up. Please wait"), answer);
        Assert.IsType<NextStep.Defer>(RulesTests.AfterFirst(answer));
    }

    [Theory]
    [InlineData("text/html", "<h1>Thank you</h1>"), InlineData("text/html", ""), InlineData("text/html", "<!-- n8n is starting up -->"),
        InlineData("text/plain", "n8n is starting up")]
    [InlineData("text/plain", "queued"), InlineData("application/pdf", "%PDF-1.7"), InlineData(null, "ok")]
    public async Task Whatever_a_workflow_answers_with_it_has_taken_the_request(string? contentType, string body)
    {
        await using var engine = ScriptedEngine.Answering(200, contentType, body);
        Assert.IsType<NextStep.Accept>(RulesTests.AfterFirst(await SendAsync(engine)));
    }

    [Fact]
    public async Task The_beginning_of_an_answer_is_kept_as_text_that_a_terminal_can_show()
    {
        await using var engine = ScriptedEngine.Answering(403, "text/plain", "jwt \u001b[31mexpired\r\n" + new string('x', 1000));
        var answer = Assert.IsType<EngineAnswer.Answered>(await SendAsync(engine));
        Assert.Equal("jwt  [31mexpired  ".PadRight(200, 'x'), answer.Beginning);
    }

    [Fact]
    public async Task What_goes_over_the_wire_is_as_agreed()
    {
        await using var engine = ScriptedEngine.Answering(202);
        var order = Order();
        await SendAsync(engine, order: order);

        var request = Assert.Single(engine.Requests);
        Assert.Equal(order.Body, request.Body);
        var span = request.Header("traceparent")!.Split('-')[2];
        Assert.Matches("^(?!0{16})[0-9a-f]{16}$", span);
        var golden = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Find(), "tests/DpDispatcher/dispatch-request.golden.txt"), Cancel);
        Assert.Equal(golden.ReplaceLineEndings("\r\n"), request.Head.Replace(span, "<span id>", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(301), InlineData(302), InlineData(303), InlineData(307), InlineData(308)]
    public async Task A_redirect_is_not_followed(int status)
    {
        await using var elsewhere = ScriptedEngine.Answering(200);
        foreach (var location in new[] { "http://169.254.169.254/latest/meta-data", "http://10.143.128.10:5678/webhook/wf", $"http://{elsewhere.Address}/",
            "/webhook/wf", "https://example.com/" })
        {
            await using var engine = ScriptedEngine.Answering(status, headers: $"Location: {location}\r\n");
            var answer = await SendAsync(engine);
            Assert.Equal(new NextStep.Close(DispatchFailure.Rejected), RulesTests.AfterFirst(answer));
            Assert.Single(engine.Requests);
        }
        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task Proxies_of_the_environment_are_ignored()
    {
        await using var proxy = ScriptedEngine.Answering(200);
        await using var engine = ScriptedEngine.Answering(202);
        foreach (var name in new[] { "HTTP_PROXY", "http_proxy", "ALL_PROXY" })
            Environment.SetEnvironmentVariable(name, $"http://{proxy.Address}");
        try
        {
            Assert.Equal(202, Assert.IsType<EngineAnswer.Answered>(await SendAsync(engine)).Status);
        }
        finally
        {
            foreach (var name in new[] { "HTTP_PROXY", "http_proxy", "ALL_PROXY" })
                Environment.SetEnvironmentVariable(name, null);
        }
        Assert.Empty(proxy.Requests);
    }

    [Fact]
    public async Task Cookies_are_not_kept()
    {
        await using var engine = ScriptedEngine.Answering(202, headers: "Set-Cookie: a=b\r\n");
        using var client = Client(engine);
        await client.SendAsync(Engine(), Order(), Cancel);
        await client.SendAsync(Engine(), Order(), Cancel);
        Assert.All(engine.Requests, request => Assert.Null(request.Header("Cookie")));
    }

    [Fact]
    public async Task A_refused_connection_reached_nobody()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));      // bound and not listening: refuses
        Assert.IsType<EngineAnswer.NotReached>(await SendAsync((IPEndPoint)closed.LocalEndPoint!));
    }

    [Fact]
    public async Task An_address_that_never_answers_the_connect_reached_nobody_and_costs_the_connect_time_only()
    {
        // A listener whose queue is full drops further connects, as a network without a route does.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        var fillers = Enumerable.Range(0, 4).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false })
            .ToList();
        foreach (var filler in fillers)
            try { filler.Connect(full.LocalEndPoint!); } catch (SocketException) { /* would block */ }
        await Task.Delay(50, Cancel);

        var started = TimeProvider.System.GetTimestamp();
        Assert.IsType<EngineAnswer.NotReached>(await SendAsync((IPEndPoint)full.LocalEndPoint!));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromMilliseconds(350), TimeSpan.FromSeconds(1.4));
        fillers.ForEach(filler => filler.Dispose());
    }

    [Fact]
    public async Task A_reset_after_the_request_is_ambiguous()
    {
        await using var engine = ScriptedEngine.Start(async connection => { await connection.ReadRequestAsync(); connection.Reset(); });
        Assert.IsType<EngineAnswer.Lost>(await SendAsync(engine));
        Assert.Single(engine.Requests);
    }

    [Fact]
    public async Task A_close_without_an_answer_is_ambiguous()
    {
        await using var engine = ScriptedEngine.Start(connection => connection.ReadRequestAsync());
        Assert.IsType<EngineAnswer.Lost>(await SendAsync(engine));
    }

    [Fact]
    public async Task A_request_is_never_sent_twice_over_a_connection_that_was_used_before()
    {
        // The first request is answered; the second is read and then reset: the pool must not try a third time by itself.
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(EngineConnection.Answer(202, "application/json"));
            await connection.ReadRequestAsync();
            connection.Reset();
        });
        using var client = Client(engine);
        Assert.IsType<EngineAnswer.Answered>(await client.SendAsync(Engine(), Order(), Cancel));
        Assert.IsType<EngineAnswer.Lost>(await client.SendAsync(Engine(), Order(), Cancel));
        Assert.Equal(2, engine.Requests.Count);
        Assert.Equal(1, engine.Connections);
    }

    [Fact]
    public async Task A_pooled_connection_that_the_engine_closed_meanwhile_is_replaced()
    {
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(EngineConnection.Answer(202, "application/json"));
        });
        using var client = Client(engine);
        for (var i = 0; i < 3; i++)
        {
            Assert.IsType<EngineAnswer.Answered>(await client.SendAsync(Engine(), Order(), Cancel));
            await Task.Delay(50, Cancel);
        }
        Assert.Equal((3, 3), (engine.Requests.Count, engine.Connections));
    }

    [Fact]
    public async Task A_process_that_was_frozen_does_not_write_to_the_connections_it_had()
    {
        // The clock jumps, the pool's own timers do not: as when Lambda thaws a process. The engine would swallow what comes on the old connection.
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-11-02T10:00:00Z", System.Globalization.CultureInfo.InvariantCulture));
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync(EngineConnection.Answer(202, "application/json"));
            await connection.ReadRequestAsync();
            connection.Reset();
        });
        using var client = new DataPlaneClient(Limits, engine.RouteFrom(Address), clock);
        Assert.IsType<EngineAnswer.Answered>(await client.SendAsync(Engine(), Order(), Cancel));

        clock.Advance(EngineConnections.StaleAfter);
        Assert.IsType<EngineAnswer.Answered>(await client.SendAsync(Engine(), Order(), Cancel));
        Assert.Equal((2, 2), (engine.Requests.Count, engine.Connections));
    }

    [Fact]
    public async Task A_write_that_the_kernel_refuses_was_not_sent()
    {
        await using var engine = ScriptedEngine.Start(async connection => { await connection.ReadRequestAsync(); connection.Reset(); });
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(engine.Address, Cancel);
        await using var stream = new EngineStream(new NetworkStream(socket, ownsSocket: false), TimeProvider.System);
        await stream.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), Cancel);
        await Assert.ThrowsAnyAsync<IOException>(async () => await stream.ReadExactlyAsync(new byte[1], Cancel));      // the reset has arrived
        await Assert.ThrowsAsync<UnsentException>(async () => await stream.WriteAsync(new byte[1], Cancel));
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("220 mail.example.com ESMTP\r\n")]
    [InlineData("\u0015\u0003\u0001\u0000\u0002\u0002\u0046")]         // a TLS alert
    [InlineData("{\"message\":\"no head\"}")]
    public async Task What_does_not_speak_http_is_no_engine(string greeting)
    {
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.WriteAsync(greeting);
            await connection.ReadRequestAsync();
            await connection.SilenceAsync();
        });
        var answer = await SendAsync(engine);
        Assert.IsType<NextStep.Defer>(RulesTests.AfterFirst(answer));
        Assert.IsNotType<EngineAnswer.Answered>(answer);
    }

    [Theory]
    [InlineData("HTTP/1.1 20")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Ty")]
    [InlineData("HTTP/1.1 200 OK\r\n\0bad: header\r\n\r\n")]
    [InlineData("HTTP/1.1 abc OK\r\n\r\n")]
    public async Task An_http_answer_that_breaks_off_or_cannot_be_read_is_ambiguous(string head)
    {
        await using var engine = ScriptedEngine.Start(async connection => { await connection.ReadRequestAsync(); await connection.WriteAsync(head); });
        Assert.IsType<EngineAnswer.Lost>(await SendAsync(engine));
    }

    [Fact]
    public async Task Silence_ends_at_the_total_time_and_is_ambiguous()
    {
        await using var engine = ScriptedEngine.Start(async connection => { await connection.ReadRequestAsync(); await connection.SilenceAsync(); });
        await EndsInTimeAsync<EngineAnswer.Lost>(engine);
    }

    [Fact]
    public async Task A_head_that_trickles_ends_at_the_total_time()
    {
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.ReadRequestAsync();
            foreach (var letter in "HTTP/1.1 200 OK\r\nx: " + new string('y', 1000))
            {
                await connection.WriteAsync(letter.ToString());
                await Task.Delay(50, connection.Stop);
            }
        });
        await EndsInTimeAsync<EngineAnswer.Lost>(engine);
    }

    [Fact]
    public async Task Continue_for_ever_ends_at_the_total_time()
    {
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.ReadRequestAsync();
            while (true)
            {
                await connection.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n");
                await Task.Delay(20, connection.Stop);
            }
        });
        await EndsInTimeAsync<EngineAnswer.Lost>(engine);
    }

    [Theory]
    [InlineData("Content-Length: 1073741824\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n")]
    [InlineData("Content-Length: 100\r\n")]
    public async Task The_head_decides_and_a_body_that_does_not_end_costs_little(string framing)
    {
        var written = 0L;
        await using var engine = ScriptedEngine.Start(async connection =>
        {
            await connection.ReadRequestAsync();
            await connection.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{framing}\r\n");
            if (framing.Contains("100\r", StringComparison.Ordinal))
                await connection.SilenceAsync();
            var chunk = Encoding.ASCII.GetBytes("2000\r\n" + new string('x', 0x2000) + "\r\n");
            while (true)
            {
                await connection.WriteAsync(chunk);
                written += chunk.Length;
            }
        });
        var started = TimeProvider.System.GetTimestamp();
        Assert.Equal(
            (200, "application/json"),
            Assert.IsType<EngineAnswer.Answered>(await SendAsync(engine)) is var answer ? (answer.Status, answer.MediaType) : default);
        Assert.InRange(answer.Beginning.Length, 0, EngineAnswer.Answered.LongestBeginning);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.InRange(written, 0, 16 << 20);                     // what kernels buffer, not a gigabyte
    }

    [Fact]
    public async Task A_compressed_body_is_neither_asked_for_nor_opened()
    {
        await using var engine = ScriptedEngine.Answering(200, headers: "Content-Encoding: gzip\r\n", body: "\u001f\u008b not gzip at all");
        Assert.Equal(new EngineAnswer.Answered(200, "application/json", null, " \ufffd not gzip at all"), await SendAsync(engine));
        Assert.Null(Assert.Single(engine.Requests).Header("Accept-Encoding"));
    }

    [Fact]
    public async Task A_head_beyond_its_bound_is_not_read_to_its_end()
    {
        await using var one = ScriptedEngine.Answering(200, headers: $"x: {new string('y', 1 << 20)}\r\n");
        Assert.IsType<EngineAnswer.Lost>(await SendAsync(one));
        await using var many = ScriptedEngine.Answering(200, headers: string.Concat(Enumerable.Range(0, 10_000).Select(i => $"x{i}: y\r\n")));
        Assert.IsType<EngineAnswer.Lost>(await SendAsync(many));
        await using var fits = ScriptedEngine.Answering(200, headers: $"x: {new string('y', 15 << 10)}\r\n");
        Assert.IsType<EngineAnswer.Answered>(await SendAsync(fits));
    }

    [Theory]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("Application/JSON;charset=\"nonsense\"")]
    public async Task A_charset_does_not_change_what_the_type_is(string contentType)
    {
        await using var engine = ScriptedEngine.Answering(200, contentType, body: "{\"a\":1,\"a\":2} not json");
        Assert.IsType<NextStep.Accept>(RulesTests.AfterFirst(await SendAsync(engine)));
    }

    [Theory]
    [InlineData("Retry-After: 0\r\n", 0d)]
    [InlineData("Retry-After: 120\r\n", 120d)]
    [InlineData("Retry-After: Mon, 02 Nov 2026 10:00:30 GMT\r\n", 30d)]
    [InlineData("Retry-After: Mon, 02 Nov 2026 09:00:00 GMT\r\n", -3600d)]
    [InlineData("Retry-After: -1\r\n", null)]
    [InlineData("Retry-After: 1.5\r\n", null)]
    [InlineData("Retry-After: 99999999999\r\n", null)]
    [InlineData("Retry-After: soon\r\n", null)]
    [InlineData("Retry-After: \r\n", null)]
    [InlineData("Retry-After: 5\r\nRetry-After: 7\r\n", null)]
    [InlineData("", null)]
    public async Task A_wish_to_wait_is_read_or_ignored(string header, double? seconds)
    {
        var clock = new FakeTimeProvider(DateTimeOffset.Parse("2026-11-02T10:00:00Z", System.Globalization.CultureInfo.InvariantCulture));
        await using var engine = ScriptedEngine.Answering(503, headers: header);
        using var client = new DataPlaneClient(Limits, engine.RouteFrom(Address), clock);
        var answer = Assert.IsType<EngineAnswer.Answered>(await client.SendAsync(Engine(), Order(), Cancel));
        Assert.Equal(seconds, answer.RetryAfter?.TotalSeconds);
    }

    [Fact]
    public async Task A_connection_is_used_again()
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var client = Client(engine);
        for (var i = 0; i < 5; i++)
            await client.SendAsync(Engine(), Order(), Cancel);
        Assert.Equal((5, 1), (engine.Requests.Count, engine.Connections));
    }

    [Fact]
    public void An_idle_connection_is_given_up_before_n8n_does()
    {
        Assert.True(EngineConnections.KeptIdle < EngineConnections.StaleAfter);
        Assert.True(EngineConnections.StaleAfter < TimeSpan.FromSeconds(5));
        Assert.True(DispatchLimits.Default.Lease > DispatchLimits.Default.Whole * 2);
    }

    private static async Task EndsInTimeAsync<T>(ScriptedEngine engine)
    {
        var started = TimeProvider.System.GetTimestamp();
        Assert.IsType<T>(await SendAsync(engine));
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(1.4), TimeSpan.FromSeconds(4));
    }

    private static Task<EngineAnswer> SendAsync(ScriptedEngine engine, DispatchOrder? order = null) => SendAsync(engine.Address, order);

    private static async Task<EngineAnswer> SendAsync(IPEndPoint engine, DispatchOrder? order = null)
    {
        using var client = new DataPlaneClient(Limits, ConnectRoutes.Parse($"{Address}:5678={engine}"), TimeProvider.System);
        return await client.SendAsync(Engine(), order ?? Order(), Cancel);
    }

    private static DataPlaneClient Client(ScriptedEngine engine) => new(Limits, engine.RouteFrom(Address), TimeProvider.System);

    private static Engine Engine()
    {
        var tenant = TenantId.Parse("tenant-43");
        Assert.True(EngineAddress.TryParse(Address, tenant, allowPublicSubnet: false, out var address));
        return new(tenant, address, AllowPublicSubnet: false);
    }

    private static DispatchOrder Order() => new(
        ExecutionId.Parse("exec_0123456789abcdef0123456789abcdef"), TenantId.Parse("tenant-43"), WebhookPath.Of(WorkflowName.Parse("wf_sched")),
        """{"schema":"dispatch.v1","text":"ä\u0000\r\n"}"""u8.ToArray(), "aGVhZA.Y2xhaW1z.c2ln", TimeProvider.System.GetUtcNow().AddMinutes(10));
}
