using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using ControlPlane.Aws;
using ControlPlane.Http;

namespace ControlPlane.Tests.Aws;

public class RawRequestTests
{
    [Theory]
    [InlineData("X-SLACK-SIGNATURE")]
    [InlineData("x-slack-signature")]
    [InlineData("X-Slack-Signature")]
    public void Header_names_compare_without_case(string name)
    {
        var request = With(KeyValuePair.Create(name, "v0=00"));

        Assert.True(request.TryHeader("x-slack-signature", out var value));
        Assert.Equal("v0=00", value);
    }

    [Fact]
    public void A_header_that_occurs_twice_is_as_good_as_absent()
    {
        var request = With(KeyValuePair.Create("Authorization", "Bearer a"), KeyValuePair.Create("authorization", "Bearer b"));

        Assert.False(request.TryHeader("authorization", out _));
        Assert.True(request.HasHeader("authorization"));
    }

    [Theory]
    [InlineData("application/json", true)]
    [InlineData("Application/JSON; charset=utf-8", true)]
    [InlineData(" application/json ", true)]
    [InlineData("application/jsonx", false)]
    [InlineData("text/plain; application/json", false)]
    public void A_media_type_is_compared_without_its_parameters(string header, bool isJson) =>
        Assert.Equal(isJson, With(KeyValuePair.Create("content-type", header)).IsContentType("application/json"));

    [Fact]
    public void Both_event_shapes_give_the_same_request()
    {
        var body = "text=%E2%9C%93&a=b"u8.ToArray();
        var fromHttp = RawRequest.From(new APIGatewayHttpApiV2ProxyRequest
        {
            RawPath = "/slack/commands",
            RawQueryString = "",
            Headers = new Dictionary<string, string> { ["x-slack-signature"] = "v0=00" },
            Body = Convert.ToBase64String(body),
            IsBase64Encoded = true,
            RequestContext = new() { RequestId = "r1", Http = new() { Method = "POST", SourceIp = "203.0.113.9" } },
        });
        var fromRest = RawRequest.From(new APIGatewayProxyRequest
        {
            Path = "/slack/commands",
            HttpMethod = "POST",
            MultiValueHeaders = new Dictionary<string, IList<string>> { ["X-Slack-Signature"] = ["v0=00"] },
            Body = Encoding.UTF8.GetString(body),
            RequestContext = new() { RequestId = "r1", Identity = new() { SourceIp = "203.0.113.9" } },
        });

        foreach (var request in new[] { fromHttp, fromRest })
        {
            Assert.NotNull(request);
            Assert.Equal(body, request.Body.ToArray());
            Assert.Equal(("POST", "/slack/commands", "203.0.113.9", "r1"), (request.Method, request.Path, request.SourceIp, request.RequestId));
            Assert.True(request.TryHeader("X-SLACK-SIGNATURE", out _));
        }
    }

    [Theory]
    [InlineData("not base64!")]
    [InlineData("QQ")]
    [InlineData("QQ==\n")]
    public void A_body_announced_as_base64_that_is_not_gives_no_request(string body) =>
        Assert.Null(RawRequest.From(new APIGatewayHttpApiV2ProxyRequest
        {
            RawPath = "/",
            Body = body,
            IsBase64Encoded = true,
            RequestContext = new() { RequestId = "r1", Http = new() { Method = "POST" } },
        }));

    [Fact]
    public void An_absent_body_is_zero_bytes()
    {
        var request = RawRequest.From(
            new APIGatewayHttpApiV2ProxyRequest { RawPath = "/", RequestContext = new() { RequestId = "r1", Http = new() { Method = "POST" } } });

        Assert.Equal(0, request!.Body.Length);
    }

    [Fact]
    public void A_problem_names_its_type_and_when_to_come_again()
    {
        var answer = Problem.Unavailable.ToRest(new("https://api.example.com"), "r1");

        Assert.Equal(503, answer.StatusCode);
        Assert.Equal("5", answer.Headers!["Retry-After"]);
        Assert.Equal("no-store", answer.Headers["Cache-Control"]);
        Assert.Equal(
            """{"type":"https://api.example.com/problems/unavailable","title":"Temporarily unavailable","status":503,"detail":"The request was not carried out. Send it again.","instance":"r1","code":"unavailable","retryable":true}""",
            answer.Body);
    }

    private static RawRequest With(params KeyValuePair<string, string>[] headers) => new("POST", "/", headers, default, null, "r1");
}
