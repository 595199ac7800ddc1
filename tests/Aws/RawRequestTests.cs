using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using ControlPlane.Aws;
using ControlPlane.Http;

namespace ControlPlane.Tests.Aws;

public class RawRequestTests
{
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
}
