using ControlPlane.Http;

namespace ControlPlane.Tests.Domain.Http;

public sealed class RawRequestTests
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
    public void A_header_that_is_not_there_is_none()
    {
        var request = With();
        Assert.Equal((false, false, false), (request.HasHeader("authorization"), request.TryHeader("authorization", out _), request.IsContentType("application/json")));
        Assert.Empty(request.PathParameters);
        Assert.Equal("", request.Query);
    }

    private static RawRequest With(params KeyValuePair<string, string>[] headers) => new("POST", "/", headers, default, null, "r1");
}
