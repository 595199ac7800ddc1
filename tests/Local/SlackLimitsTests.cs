using System.Text.Json.Nodes;
using ControlPlane.Local.SmallSlack;

namespace ControlPlane.Tests.Local;

/// <summary>The stand-in for Slack refuses what Slack refuses.</summary>
public class SlackLimitsTests
{
    [Theory]
    [InlineData("""{"text":"x"}""")]
    [InlineData("""{"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"x"}}]}""")]
    [InlineData("""{"blocks":[{"type":"section","fields":[{"type":"mrkdwn","text":"{2000}"}]},{"type":"header","text":{"type":"plain_text","text":"{150}"}},{"type":"divider"}]}""")]
    [InlineData("""{"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"{3000}"},"block_id":"{255}"}]}""")]
    [InlineData("""{"blocks":[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"{75}"},"action_id":"{255}"}]}]}""")]
    public void What_keeps_the_limits_is_taken(string message) => Assert.Null(SlackLimits.Fault(Of(message)));

    [Theory]
    [InlineData("{}", "no_text")]
    [InlineData("""{"text":""}""", "no_text")]
    [InlineData("""{"text":" \u200b\u0007"}""", "no_text")]
    [InlineData("""{"text":"x","blocks":[]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","response_type":"everybody"}""", "invalid_payload")]
    [InlineData("""{"text":"{40001}"}""", "msg_too_long")]
    [InlineData("""{"text":"x","blocks":[{"type":"section"}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"section","text":{"type":"mrkdwn","text":""}}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"\u00a0\u3164"}}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"{3001}"}}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"section","fields":[{"type":"mrkdwn","text":"{2001}"}]}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"section","fields":[]}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"context","elements":[{"type":"mrkdwn","text":" "}]}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"header","text":{"type":"plain_text","text":"{151}"}}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"divider","block_id":"{256}"}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"{76}"}}]}]}""", "invalid_blocks")]
    [InlineData("""{"text":"x","blocks":[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":"x"},"action_id":"{256}"}]}]}""",
        "invalid_blocks")]
    public void What_breaks_one_is_refused_in_Slacks_word(string message, string word) =>
        Assert.StartsWith($"{word}:", SlackLimits.Fault(Of(message)), StringComparison.Ordinal);

    [Theory]
    [InlineData("divider", 50, 51)]
    [InlineData("actions", 25, 26)]
    [InlineData("section", 10, 11)]
    public void Too_many_of_anything_are_refused(string type, int most, int tooMany)
    {
        Assert.Null(SlackLimits.Fault(With(most)));
        Assert.NotNull(SlackLimits.Fault(With(tooMany)));

        JsonObject With(int count) => Of(type switch
        {
            "divider" => $$"""{"blocks":[{{Repeat("""{"type":"divider"}""", count)}}]}""",
            "actions" =>
                $$"""{"blocks":[{"type":"actions","elements":[{{Repeat("""{"type":"button","text":{"type":"plain_text","text":"x"}}""", count)}}]}]}""",
            _ => $$"""{"blocks":[{"type":"section","fields":[{{Repeat("""{"type":"mrkdwn","text":"x"}""", count)}}]}]}""",
        });
    }

    private static string Repeat(string json, int count) => string.Join(',', Enumerable.Repeat(json, count));

    // {3000} stands for three thousand letters.
    private static JsonObject Of(string message) =>
        JsonNode.Parse(System.Text.RegularExpressions.Regex.Replace(message, @"\{([0-9]+)\}",
            match => new string('x', int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))))!.AsObject();
}
