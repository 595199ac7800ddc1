using System.Text.Json;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.SlackHandler;

public class SlackTextTests
{
    [Theory]
    [InlineData("<!channel>", "&lt;!channel&gt;")]
    [InlineData("<!here> <@U123> <https://evil.test|click>", "&lt;!here&gt; &lt;@U123&gt; &lt;https://evil.test|click&gt;")]
    [InlineData("&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;")]
    [InlineData("a & b", "a &amp; b")]
    [InlineData("red \u001b[31m\0\r", "red  [31m  ")]
    [InlineData("abc\u202Edef\u2028ghi", "abc def ghi")]
    public void Whatever_is_put_into_a_text_pings_nobody_and_links_nowhere(string user, string shown) =>
        Assert.Equal(shown, SlackText.Of($"{user}").ToString());

    [Fact]
    public void A_lone_surrogate_is_no_trouble() => Assert.Equal("\uFFFD", SlackText.Of($"{"\ud800"}").ToString());

    [Fact]
    public void Text_to_copy_keeps_its_frame() => Assert.Equal("`a'b c`", SlackText.Code("a`b\nc").ToString());

    [Fact]
    public void A_cut_never_parts_an_escape()
    {
        for (var longest = 1; longest < 40; longest++)
        {
            var text = SlackText.Cut("ab&<>&<>&<>&<>", longest).ToString();
            Assert.True(text.Length <= longest);
            Assert.DoesNotMatch("&(?!amp;|lt;|gt;)", text);
        }
    }

    [Fact]
    public void A_section_is_cut_before_a_mark_that_would_not_fit_whole()
    {
        for (var before = 2980; before <= 3000; before++)
        {
            var text = SlackText.Join(
                "", [SlackText.Cut(new string('a', before), 4000), SlackText.Of($"{"😀<"}"), SlackText.User(UserId.Parse("U123")), SlackText.Of($"{"&"} and more")]);
            var cut = Block.Section(text).Text!.Text;
            Assert.InRange(cut.Length, 2980, 3000);
            Assert.EndsWith("…", cut, StringComparison.Ordinal);
            Assert.DoesNotMatch("&(?!amp;|lt;|gt;)|<(?!@U123>)", cut);
            Assert.DoesNotContain('\uFFFD', System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(cut)));
        }
        Assert.Equal(3000, Block.Section(SlackText.Cut(new string('a', 3000), 4000)).Text!.Text.Count(letter => letter == 'a'));
    }

    [Theory]
    [InlineData("https://engine.example.com/run/1?a=1&b=2", "<https://engine.example.com/run/1?a=1&amp;b=2>")]
    [InlineData("https://x.test/a|b", "<https://x.test/a%7Cb>")]
    [InlineData("https://x.test/>", "<https://x.test/%3E>")]
    [InlineData("javascript:alert(1)", null)]
    [InlineData("https://user:pw@x.test/", null)]
    [InlineData("/relative", null)]
    [InlineData("!channel", null)]
    [InlineData(null, null)]
    public void A_link_shows_where_it_leads(string? url, string? shown) => Assert.Equal(shown, SlackText.Link(url)?.ToString());

    [Fact]
    public void A_user_is_mentioned() => Assert.Equal("<@U123>", SlackText.User(UserId.Parse("U123")).ToString());

    [Theory]
    [InlineData("!channel"), InlineData(""), InlineData("u123"), InlineData("U1>"), InlineData("U1\n")]
    public void What_could_mention_somebody_else_is_no_users_id(string text) => Assert.False(UserId.TryParse(text, out _));

    [Fact]
    public void Slack_is_told_not_to_make_links_of_its_own()
    {
        var json = JsonSerializer.Serialize(SlackMessage.Private(SlackText.Of($"@channel")), SlackJson.Default.SlackMessage);
        Assert.Contains("\"verbatim\":true", json, StringComparison.Ordinal);
    }
}
