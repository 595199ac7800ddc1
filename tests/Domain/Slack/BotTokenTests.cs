using ControlPlane.Slack;

namespace ControlPlane.Tests.Domain.Slack;

public sealed class BotTokenTests
{
    [Theory]
    [InlineData("xoxb-1", true), InlineData("xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcBrzbqgy", true)]
    [InlineData(null, false), InlineData("", false), InlineData("xoxb-", false), InlineData("xoxp-1", false), InlineData("Xoxb-1", false),
        InlineData(" xoxb-1", false), InlineData("xoxb-1 2", false), InlineData("xoxb-1\n", false), InlineData("xoxb-\u00e9", false)]
    public void A_bots_token_begins_as_Slack_says_and_has_no_blanks(string? text, bool isToken)
    {
        Assert.Equal(isToken, BotToken.TryParse(text, out var token));
        Assert.Equal(isToken ? text : null, token?.Value);
    }

    [Theory]
    [InlineData(512, true), InlineData(513, false)]
    public void It_is_no_longer_than_a_token_is(int length, bool isToken) => Assert.Equal(isToken, BotToken.TryParse("xoxb-".PadRight(length, '1'), out _));

    [Fact]
    public void It_is_never_printed() => Assert.Equal("BotToken", BotToken.TryParse("xoxb-1", out var token) ? token.ToString() : "");
}
