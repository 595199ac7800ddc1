using System.Text;
using ControlPlane.Http;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Domain.Http;

public sealed class FormBodyTests
{
    [Fact]
    public void Every_case_of_the_web_platform_tests_is_read_as_browsers_read_it()
    {
        using var vectors = Vectors.Read("wpt_urlencoded.json");
        var cases = vectors.RootElement.GetProperty("cases").EnumerateArray().ToList();
        foreach (var one in cases)
        {
            var expected = one.GetProperty("output").EnumerateArray().Select(pair => (pair[0].GetString()!, pair[1].GetString()!));
            var pairs = FormBody.Parse(Encoding.UTF8.GetBytes(one.GetProperty("input").GetString()!)).Pairs.Select(pair => (pair.Key, pair.Value));
            Assert.Equal(expected, pairs);
        }
        Assert.Equal(35, cases.Count);
    }

    [Theory]
    [InlineData("team_id=T1&team_id=T2")]
    [InlineData("team_id=")]
    [InlineData("team_id")]
    [InlineData("TEAM_ID=T1")]
    [InlineData("team_id[]=T1")]
    [InlineData("=T1")]
    [InlineData("&&&")]
    [InlineData("")]
    public void Only_a_field_of_exactly_that_name_that_occurs_once_with_a_value_is_there(string body) =>
        Assert.False(FormBody.Parse(Encoding.ASCII.GetBytes(body)).TryGet("team_id", out _));

    [Fact]
    public void A_pair_is_recognised_without_decoding()
    {
        Assert.True(FormBody.Says("token=x&ssl_check=1"u8, "ssl_check=1"u8));
        Assert.False(FormBody.Says("text=ssl_check%3D1&ssl_check=10&xssl_check=1"u8, "ssl_check=1"u8));
    }

    [Fact]
    public void A_percent_sign_at_the_very_end_is_text() =>
        Assert.Equal("100%", Assert.Single(FormBody.Parse("text=100%"u8).Pairs).Value);

    [Fact]
    public void A_long_value_is_read_whole()
    {
        var text = new string('ä', 5000);
        Assert.Equal(text, Assert.Single(FormBody.Parse(Encoding.ASCII.GetBytes($"text={Uri.EscapeDataString(text)}")).Pairs).Value);
    }
}
