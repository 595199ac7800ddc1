using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using ControlPlane.SlackHandler.Interactions;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>What gets past the door of <c>/slack/commands</c>, and what is left behind by what does not.</summary>
public sealed class DoorTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private static readonly byte[] Help = Encoding.ASCII.GetBytes("text=help");

    [Fact]
    public async Task Every_published_signature_case_comes_out_as_it_says()
    {
        using var vectors = Vectors.Read("slack_signature.json");
        var before = await world.StateAsync();
        var function = world.NewFunction();
        var now = world.Clock.Now;
        foreach (var one in vectors.RootElement.GetProperty("cases").EnumerateArray())
        {
            world.Clock.Now = DateTimeOffset.FromUnixTimeSeconds(one.GetProperty("now").GetInt64());
            byte[]? body = one.TryGetProperty("body_base64", out var bytes) ? bytes.GetBytesFromBase64()
                : one.GetProperty("body").GetString() is { } text ? Encoding.UTF8.GetBytes(text) : null;
            var headers = new Dictionary<string, string> { ["content-type"] = "application/x-www-form-urlencoded", ["x-origin-verify"] = SlackFixture.Origin };
            if (one.GetProperty("timestamp").GetString() is { } timestamp)
                headers["x-slack-request-timestamp"] = timestamp;
            if (one.GetProperty("signature").GetString() is { } signature)
                headers["x-slack-signature"] = signature;

            var status = (await function.RouteAsync(SlackFixture.Event("POST", "/slack/commands", body, headers), SlackFixture.Context)).StatusCode;
            var name = one.GetProperty("name").GetString();
            // Where a clean refusal or a clean pass may be chosen, we refuse: a header has one spelling.
            Assert.True(status == (one.GetProperty("expect").GetString() == "accept" ? 200 : 401), $"{name}: {status}");
        }
        world.Clock.Now = now;
        Assert.Equal(before, await world.StateAsync());
    }

    [Theory]
    [InlineData(-301, 401)]
    [InlineData(-300, 200)]
    [InlineData(300, 200)]
    [InlineData(301, 401)]
    public async Task A_timestamp_may_be_five_minutes_off_either_way(int seconds, int status) =>
        Assert.Equal(status, await StatusAsync(world.Post(Help, at: world.Clock.Now + TimeSpan.FromSeconds(seconds))));

    [Fact]
    public async Task The_body_is_verified_as_bytes_whether_it_comes_as_text_or_as_base64()
    {
        var asBase64 = world.Post(Help);
        var asText = world.Post(Help);
        (asText.Body, asText.IsBase64Encoded) = (Encoding.ASCII.GetString(Help), false);

        Assert.Equal(200, await StatusAsync(asBase64));
        Assert.Equal(200, await StatusAsync(asText));
    }

    [Theory]
    [InlineData("dGV4dD1oZWxw=")]
    [InlineData("dGV4 dD1oZWxw")]
    [InlineData("dGV4dD1oZWxw\n")]
    [InlineData("text=help")]
    [InlineData("dGV4dD1oZWxx===")]
    public async Task A_body_announced_as_base64_that_is_not_is_malformed(string body)
    {
        var http = world.Post(Help);
        http.Body = body;
        Assert.Equal(400, await StatusAsync(http));
    }

    [Fact]
    public async Task No_body_is_a_body_of_no_bytes()
    {
        var unsigned = world.Post(Help);
        (unsigned.Body, unsigned.IsBase64Encoded) = (null, false);
        Assert.Equal(401, await StatusAsync(unsigned));

        var signed = world.Post([]);
        (signed.Body, signed.IsBase64Encoded) = (null, false);
        Assert.Equal(200, await StatusAsync(signed));

        signed.IsBase64Encoded = true;
        Assert.Equal(200, await StatusAsync(signed));
    }

    [Theory]
    [InlineData("X-SLACK-SIGNATURE", "X-SLACK-REQUEST-TIMESTAMP")]
    [InlineData("x-slack-signature", "x-slack-request-timestamp")]
    [InlineData("X-Slack-Signature", "X-Slack-Request-Timestamp")]
    public async Task Header_names_are_compared_without_case(string signature, string timestamp)
    {
        var http = world.Post(Help);
        Rename(http, "x-slack-signature", signature);
        Rename(http, "x-slack-request-timestamp", timestamp);
        Assert.Equal(200, await StatusAsync(http));
    }

    [Theory]
    [InlineData("{0},v0=0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("v0=0000000000000000000000000000000000000000000000000000000000000000,{0}")]
    [InlineData("{0},{0}")]
    [InlineData("{0}, {0}")]
    public async Task Two_signatures_are_none(string joined)
    {
        var http = world.Post(Help);
        http.Headers!["x-slack-signature"] = string.Format(null, joined, http.Headers["x-slack-signature"]);
        Assert.Equal(401, await StatusAsync(http));
    }

    [Theory]
    [InlineData("x-slack-signature", 401)]
    [InlineData("x-slack-request-timestamp", 401)]
    [InlineData("x-origin-verify", 403)]
    [InlineData("content-type", 415)]
    public async Task A_header_that_comes_twice_counts_as_absent(string name, int status)
    {
        var http = world.Post(Help);
        http.Headers![name.ToUpperInvariant()] = http.Headers[name];
        Assert.Equal(status, await StatusAsync(http));
    }

    [Theory]
    [InlineData("application/json", 415)]
    [InlineData("multipart/form-data; boundary=x", 415)]
    [InlineData("text/plain", 415)]
    [InlineData(null, 415)]
    [InlineData("application/x-www-form-urlencoded; charset=utf-8", 200)]
    [InlineData("Application/X-WWW-Form-URLencoded", 200)]
    public async Task Only_forms_are_taken(string? type, int status)
    {
        var http = world.Post(Help);
        if (type is null)
            http.Headers!.Remove("content-type");
        else
            http.Headers!["content-type"] = type;
        Assert.Equal(status, await StatusAsync(http));
    }

    [Theory]
    [InlineData("GET", "/slack/commands", 405)]
    [InlineData("HEAD", "/slack/commands", 405)]
    [InlineData("PUT", "/slack/commands", 405)]
    [InlineData("OPTIONS", "/slack/commands", 405)]
    [InlineData("POST", "/slack/commands/", 404)]
    [InlineData("POST", "//slack/commands", 404)]
    [InlineData("POST", "/slack//commands", 404)]
    [InlineData("POST", "/SLACK/COMMANDS", 404)]
    [InlineData("POST", "/health", 405)]
    [InlineData("GET", "/", 404)]
    public async Task Another_route_leads_nowhere(string method, string path, int status)
    {
        var http = world.Post(Help);
        (http.RequestContext.Http.Method, http.RawPath) = (method, path);
        Assert.Equal(status, await StatusAsync(http));
    }

    [Theory]
    [InlineData(64 * 1024, 200)]
    [InlineData(64 * 1024 + 1, 413)]
    [InlineData(1024 * 1024, 413)]
    [InlineData(6 * 1024 * 1024, 413)]
    public async Task A_body_has_64_KiB_at_most(int bytes, int status)
    {
        var body = new byte[bytes];
        Array.Fill(body, (byte)'x');
        Assert.Equal(status, await StatusAsync(world.Post(body)));
    }

    [Fact]
    public async Task Slack_may_check_the_certificate_unsigned_and_nothing_happens()
    {
        var workspace = await world.NewWorkspaceAsync();
        var before = await world.StateAsync();
        var byPost = world.Post([.. Encoding.ASCII.GetBytes("ssl_check=1&"), .. Workspace.Encode(workspace.Form("run report"))]);
        byPost.Headers!.Remove("x-slack-signature");
        var byGet = SlackFixture.Event("GET", "/slack/commands", headers: new() { ["x-origin-verify"] = SlackFixture.Origin }, query: "ssl_check=1&token=x");

        foreach (var http in new[] { byPost, byGet })
        {
            var answer = await world.NewFunction().RouteAsync(http, SlackFixture.Context);
            Assert.Equal((200, ""), (answer.StatusCode, answer.Body));
        }
        Assert.Equal(before, await world.StateAsync());
        Assert.Empty(await workspace.OrdersAsync());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("cloudfront-says-hell")]
    [InlineData("cloudfront-says-hello ")]
    [InlineData("CLOUDFRONT-SAYS-HELLO")]
    public async Task What_did_not_come_through_the_edge_is_turned_away_first(string? origin)
    {
        var post = world.Post(Help);
        var get = SlackFixture.Event("GET", "/slack/commands", query: "ssl_check=1");
        foreach (var http in new[] { post, get })
        {
            http.Headers!.Remove("x-origin-verify");
            if (origin is not null)
                http.Headers["x-origin-verify"] = origin;
            var answer = await world.NewFunction().RouteAsync(http, SlackFixture.Context);
            Assert.Equal((403, ""), (answer.StatusCode, answer.Body));
        }
    }

    [Fact]
    public async Task A_body_is_measured_before_it_is_decoded_whoever_asks()
    {
        var get = SlackFixture.Event("GET", "/slack/commands", headers: new() { ["x-origin-verify"] = SlackFixture.Origin }, query: "ssl_check=1");
        (get.Body, get.IsBase64Encoded) = (new string('!', 6 * 1024 * 1024), true);      // no base64: decoding it would answer 400
        Assert.Equal(413, (await world.NewFunction().RouteAsync(get, SlackFixture.Context)).StatusCode);
    }

    [Fact]
    public async Task Health_is_asked_past_the_edge_and_tells_region_and_version()
    {
        var answer = await world.NewFunction().RouteAsync(SlackFixture.Event("GET", "/health"), SlackFixture.Context);
        Assert.Equal((200, """{"status":"ok","region":"us-east-1","version":"1.2.3"}"""), (answer.StatusCode, answer.Body));
    }

    [Fact]
    public async Task Health_says_so_when_a_table_does_not_answer_and_asks_the_tables_once_in_a_while()
    {
        var broken = new FaultSeam(call => call.Number == 1 ? Fault.Throttled : null);
        var dynamo = broken.DynamoDb(world.Tables.Endpoint);
        var silent = new FaultSeam(_ => Fault.Silence);
        var down = await world.NewFunction(silent.DynamoDb(world.Tables.Endpoint))
            .RouteAsync(SlackFixture.Event("GET", "/health"), SlackFixture.Context);
        Assert.Equal((503, """{"status":"unavailable","region":"us-east-1","version":"1.2.3"}"""), (down.StatusCode, down.Body));
        Assert.Equal("5", down.Headers!["Retry-After"]);

        var function = world.NewFunction(dynamo);
        for (var i = 0; i < 10; i++)
            Assert.Equal(200, (await function.RouteAsync(SlackFixture.Event("GET", "/health"), SlackFixture.Context)).StatusCode);
        Assert.InRange(broken.Calls.Count, 4, 5);

        world.Clock.Advance(TimeSpan.FromSeconds(6));
        await function.RouteAsync(SlackFixture.Event("GET", "/health"), SlackFixture.Context);
        Assert.InRange(broken.Calls.Count, 8, 9);
    }

    [Fact]
    public async Task Health_says_so_when_a_queue_does_not_answer()
    {
        foreach (var queue in new[] { 1, 2 })
        {
            var seam = new FaultSeam(call => call.Number == queue ? Fault.Silence : null);
            var down = await world.NewFunction(sqs: seam.Sqs(await world.QueueEndpointAsync(), retries: 0))
                .RouteAsync(SlackFixture.Event("GET", "/health"), SlackFixture.Context);
            Assert.Equal(503, down.StatusCode);
            Assert.Equal(["GetQueueAttributes", "GetQueueAttributes"], seam.Calls.Select(call => call.Operation));
        }
    }

    [Fact]
    public async Task Health_says_so_when_commands_cannot_be_counted_and_counts_none_itself()
    {
        var before = await world.StateAsync();
        var noWrites = new FaultSeam(call => call.Operation == "UpdateItem" ? Fault.Throttled : null);
        var down = await world.NewFunction(noWrites.DynamoDb(world.Tables.Endpoint))
            .RouteAsync(SlackFixture.Event("GET", "/health"), SlackFixture.Context);
        Assert.Equal(503, down.StatusCode);

        var up = await world.NewFunction().RouteAsync(SlackFixture.Event("GET", "/health"), SlackFixture.Context);
        Assert.Equal(200, up.StatusCode);
        Assert.False(up.Headers!.ContainsKey("Retry-After"));
        Assert.Equal(before, await world.StateAsync());
    }

    [Fact]
    public async Task A_rotated_secret_is_taken_at_once_and_the_old_one_for_a_day()
    {
        var now = world.Clock.Now;
        var secrets = new KeptSecrets();
        secrets.Put("v1", SlackFixture.SecretText("old"), now);
        var function = world.NewFunction(secret: world.Secret(secrets));
        Assert.Equal(200, await StatusAsync(world.Post(Help, "old"), function));
        world.Clock.Advance(TimeSpan.FromSeconds(31));

        secrets.Put("v2", SlackFixture.SecretText("new", origin: "another origin"), world.Clock.Now);
        var reads = secrets.CurrentReads;
        Assert.Equal(200, await StatusAsync(world.Post(Help, "new"), function));        // unknown to memory: one refresh
        Assert.Equal(reads + 1, secrets.CurrentReads);
        Assert.Equal(200, await StatusAsync(world.Post(Help, "old"), function));

        world.Clock.Advance(TimeSpan.FromHours(24) - TimeSpan.FromSeconds(1));
        Assert.Equal(200, await StatusAsync(WithOrigin(world.Post(Help, "old"), "another origin"), function));
        world.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(401, await StatusAsync(WithOrigin(world.Post(Help, "old"), "another origin"), function));
        Assert.Equal(200, await StatusAsync(WithOrigin(world.Post(Help, "new"), "another origin"), function));
        world.Clock.Now = now;
    }

    [Fact]
    public async Task Forgeries_cause_one_refresh_an_interval()
    {
        var now = world.Clock.Now;
        var secrets = new KeptSecrets();
        secrets.Put("v1", SlackFixture.SecretText(SlackFixture.SigningSecret), now);
        var function = world.NewFunction(secret: world.Secret(secrets));
        Assert.Equal(200, await StatusAsync(world.Post(Help), function));
        world.Clock.Advance(TimeSpan.FromSeconds(31));

        var reads = secrets.CurrentReads;
        for (var i = 0; i < 100; i++)
            Assert.Equal(401, await StatusAsync(world.Post(Help, "wrong"), function));
        Assert.Equal(reads + 1, secrets.CurrentReads);
        world.Clock.Now = now;
    }

    [Fact]
    public async Task A_warm_function_outlives_the_secret_store_and_a_cold_one_accepts_nothing()
    {
        var now = world.Clock.Now;
        var secrets = new KeptSecrets();
        secrets.Put("v1", SlackFixture.SecretText(SlackFixture.SigningSecret), now);
        var warm = world.NewFunction(secret: world.Secret(secrets));
        Assert.Equal(200, await StatusAsync(world.Post(Help), warm));

        secrets.IsDown = true;
        world.Clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(200, await StatusAsync(world.Post(Help), warm));
        Assert.Equal(401, await StatusAsync(world.Post(Help, "wrong"), warm));

        var cold = await world.NewFunction(secret: world.Secret(secrets)).RouteAsync(world.Post(Help), SlackFixture.Context);
        Assert.Equal((500, ""), (cold.StatusCode, cold.Body));
        world.Clock.Now = now;
    }

    [Fact]
    public async Task A_malformed_new_secret_never_replaces_a_good_one()
    {
        var now = world.Clock.Now;
        var secrets = new KeptSecrets();
        secrets.Put("v1", SlackFixture.SecretText(SlackFixture.SigningSecret), now);
        var function = world.NewFunction(secret: world.Secret(secrets));
        Assert.Equal(200, await StatusAsync(world.Post(Help), function));

        secrets.Put("v2", """{"signing_secret":"","response_url_key":"","origin_verify":""}""", now);
        world.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(200, await StatusAsync(world.Post(Help), function));
        Assert.Equal(401, await StatusAsync(world.Post(Help, ""), function));
        world.Clock.Now = now;
    }

    private async Task<int> StatusAsync(APIGatewayHttpApiV2ProxyRequest http, SlackCommandsFunction? function = null) =>
        (await (function ?? world.NewFunction()).RouteAsync(http, SlackFixture.Context)).StatusCode;

    private static void Rename(APIGatewayHttpApiV2ProxyRequest http, string from, string to)
    {
        var value = http.Headers![from];
        http.Headers.Remove(from);
        http.Headers[to] = value;
    }

    private static APIGatewayHttpApiV2ProxyRequest WithOrigin(APIGatewayHttpApiV2ProxyRequest http, string origin)
    {
        http.Headers!["x-origin-verify"] = origin;
        return http;
    }
}
