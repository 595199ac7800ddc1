using System.Globalization;
using System.Text.Json.Nodes;
using ControlPlane.Http;

namespace ControlPlane.Tests.Infra;

/// <summary>What the private API answers by itself, before or instead of a function, has the shape of the functions' own refusals.</summary>
public sealed class GatewayAnswerTests
{
    private static readonly string[] Members = ["type", "title", "status", "detail", "instance", "code", "retryable"];

    [Theory]
    [InlineData("THROTTLED", 429, "throttled", true)]
    [InlineData("WAF_FILTERED", 429, "throttled", true)]
    [InlineData("REQUEST_TOO_LARGE", 413, "too-large", false)]
    [InlineData("DEFAULT_4XX", 403, "forbidden", false)]
    [InlineData("DEFAULT_5XX", 503, "unavailable", true)]
    public void The_gateways_own_answers_are_problems(string kind, int status, string code, bool retryable)
    {
        var answer = Template.Read("serverless.template").Root.At($"Resources/PrivateApi/Properties/GatewayResponses/{kind}");
        var (mediaType, text) = Assert.Single(answer["ResponseTemplates"]!.AsObject());
        var problem = JsonNode.Parse(text!.ToString())!.AsObject();
        var headers = answer["ResponseParameters"]!["Headers"]!;

        Assert.Equal(Problem.MediaType, mediaType);
        Assert.Equal(Members, problem.Select(one => one.Key));
        Assert.Equal((status, status), ((int)answer["StatusCode"]!, (int)problem["status"]!));
        Assert.Equal((code, $"/problems/{code}", retryable), ((string?)problem["code"], (string?)problem["type"], (bool)problem["retryable"]!));
        Assert.Equal("$context.requestId", (string?)problem["instance"]);
        Assert.Equal("'no-store'", (string?)headers["Cache-Control"]);
        Assert.Equal(retryable, int.TryParse(((string?)headers["Retry-After"])?.Trim('\''), CultureInfo.InvariantCulture, out _));
    }
}
