using System.Text;
using ControlPlane.Local.Gateway;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Local;

public sealed class GatewayEventTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_form_reaches_the_public_api_as_base64_with_lower_case_headers() => Golden.MatchesJson(
        "Golden/public-form.json",
        PublicEvent.From(
            Request(
                "POST", "/slack/commands", "", "text=run+wf", ("Host", "127.0.0.1:8080"), ("Content-Type", "application/x-www-form-urlencoded"),
                ("X-Slack-Signature", "v0=a"), ("x-slack-signature", "v0=b")),
            new("POST", "/slack/commands", "SlackCommandsFunction"),
            new Dictionary<string, string>()).ToJsonString());

    [Fact]
    public void Json_reaches_the_public_api_as_it_is_and_query_values_are_joined() => Golden.MatchesJson(
        "Golden/public-query.json",
        PublicEvent.From(
            Request("GET", "/slack/commands", "ssl_check=1&a=x%20y&a=2", "", ("Cookie", "one=1; two=2"), ("Host", "api.example.com")),
            new("GET", "/slack/commands", "SlackCommandsFunction"),
            new Dictionary<string, string>()).ToJsonString());

    [Fact]
    public void The_private_api_keeps_every_value_of_a_header_and_the_body_as_text() => Golden.MatchesJson(
        "Golden/private-post.json",
        PrivateEvent.From(
            Request(
                "POST", "/metering/heartbeat", "", """{"schema":"heartbeat.v1"}""", ("Host", "127.0.0.1:8081"), ("Content-Type", "application/json"),
                ("webhook-id", "one"), ("Webhook-Id", "two")),
            new("POST", "/metering/heartbeat", "HeartbeatsFunction"),
            new Dictionary<string, string>()).ToJsonString());

    [Fact]
    public void The_private_api_hands_over_the_paths_parameters() => Golden.MatchesJson(
        "Golden/private-get.json",
        PrivateEvent.From(
            Request("GET", "/tenants/tenant-43/jwks.json", "", "", ("Host", "127.0.0.1:8081")),
            new("GET", "/tenants/{tenant_id}/jwks.json", "JwksFunction"),
            new Dictionary<string, string> { ["tenant_id"] = "tenant-43" }).ToJsonString());

    [Theory]
    [InlineData("application/json; charset=utf-8", false)]
    [InlineData("text/plain", false)]
    [InlineData("application/x-www-form-urlencoded", true)]
    [InlineData("application/octet-stream", true)]
    [InlineData(null, true)]
    public void The_public_api_encodes_what_it_does_not_know_as_text(string? contentType, bool encoded)
    {
        (string, string)[] headers = contentType is null ? [] : [("content-type", contentType)];
        var json = PublicEvent.From(Request("POST", "/", "", "body", headers), new("POST", "/", "F"), new Dictionary<string, string>());
        Assert.Equal(encoded, (bool)json["isBase64Encoded"]!);
        Assert.Equal(encoded ? "Ym9keQ==" : "body", (string?)json["body"]);
    }

    [Theory]
    [InlineData("GET", "/tenants/{tenant_id}/jwks.json", "/tenants/tenant-43/jwks.json", "tenant-43")]
    [InlineData("GET", "/tenants/{tenant_id}/jwks.json", "/tenants/a%2Fb/jwks.json", "a/b")]
    [InlineData("GET", "/tenants/{tenant_id}/jwks.json", "/tenants//jwks.json", null)]
    [InlineData("GET", "/tenants/{tenant_id}/jwks.json", "/tenants/a/jwks.json/", null)]
    [InlineData("POST", "/tenants/{tenant_id}/jwks.json", "/tenants/a/jwks.json", null)]
    public void A_route_matches_its_method_and_whole_segments(string method, string route, string path, string? tenant) =>
        Assert.Equal(tenant, new Route("GET", route, "F").Match(method, path)?["tenant_id"]);

    private static GatewayRequest Request(string method, string path, string query, string body, params (string Name, string Value)[] headers) => new(
        method, path, query, "HTTP/1.1", [.. headers.Select(header => KeyValuePair.Create(header.Name, header.Value))], Encoding.UTF8.GetBytes(body),
        "10.142.1.10", "request-1", Noon);
}
