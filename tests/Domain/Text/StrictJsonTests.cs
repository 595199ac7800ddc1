using System.Text;
using System.Text.Json;
using ControlPlane.Text;

namespace ControlPlane.Tests.Domain.Text;

/// <summary>JSON from outside: whatever two readers could read in two ways is refused.</summary>
public sealed class StrictJsonTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData("""{"a":1,"b":"x","c":[1,2,{"a":3}],"d":null,"e":true}""")]
    [InlineData("""{"a":{"x":1},"b":{"x":2}}""")]                    // one name in two objects
    [InlineData("""{"a":9007199254740991,"b":-9007199254740991}""")]
    [InlineData("""{"a":1.5,"b":1e300,"c":1E5,"d":12345678901234567890.5}""")]
    [InlineData(""" {"a":"\ud83d\ude00"} """)]
    public void An_object_with_one_reading_is_taken(string json) => Assert.True(IsTaken(json));

    [Theory]
    [InlineData(""), InlineData("null"), InlineData("[]"), InlineData("5"), InlineData("\"a\""), InlineData("true")]
    [InlineData("{"), InlineData("{}x"), InlineData("{}{}"), InlineData("{'a':1}"), InlineData("""{"a":1,}"""), InlineData("""{"a":1}// x""")]
    [InlineData("""{"a":1,"a":1}"""), InlineData("""{"a":1,"A":2}"""), InlineData("""{"a":1,"\u0061":2}"""), InlineData("""{"x":[{"a":1,"a":2}]}""")]
    [InlineData("""{"a":9007199254740992}"""), InlineData("""{"a":-9007199254740992}"""), InlineData("""{"a":99999999999999999999}""")]
    [InlineData("""{"a":"\ud800"}"""), InlineData("""{"\ud800":1}"""), InlineData("""{"a":01}"""), InlineData("""{"a":NaN}""")]
    public void Anything_else_is_refused(string json) => Assert.False(IsTaken(json));

    [Fact]
    public void Text_that_is_no_Unicode_is_refused()
    {
        byte[] json = [.. "{\"a\":\""u8, 0xC3, 0x28, .. "\"}"u8];
        Assert.False(StrictJson.TryParseObject(json, out _));
        Assert.False(StrictJson.TryParse(json, DomainJson.Default.PolicyDecision, out _));
    }

    [Theory]
    [InlineData(16, true), InlineData(17, false)]
    public void It_nests_sixteen_deep(int depth, bool isTaken) =>
        Assert.Equal(isTaken, IsTaken(string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1)));

    [Theory]
    [InlineData("""{"allowed":true,"code":"allowed","in_plain_words":"","verdicts":[]}""", true)]
    [InlineData("""{"allowed":true,"code":"allowed","in_plain_words":"","verdicts":[],"more":1}""", true)]      // nobody asked for it
    [InlineData("""{"allowed":true,"Allowed":false,"code":"allowed","in_plain_words":"","verdicts":[]}""", false)]
    [InlineData("""{"allowed":"yes","code":"allowed","in_plain_words":"","verdicts":[]}""", false)]
    [InlineData("""{"allowed":true}""", false), InlineData("null", false), InlineData("{", false)]
    public void A_typed_reading_is_held_to_the_same(string json, bool isTaken)
    {
        Assert.Equal(isTaken, StrictJson.TryParse(Encoding.UTF8.GetBytes(json), DomainJson.Default.PolicyDecision, out var decision));
        Assert.Equal(isTaken, decision is { Allowed: true, Code: "allowed" });
    }

    [Theory]
    [InlineData("a", "x"), InlineData("b", null), InlineData("c", null), InlineData("A", null)]
    public void A_members_text_is_that_of_a_string_of_its_name(string name, string? text)
    {
        Assert.True(StrictJson.TryParseObject("""{"a":"x","b":5}""", out var json));
        Assert.Equal(text, StrictJson.TextOf(json, name));
    }

    [Fact]
    public void What_is_no_object_has_no_members() => Assert.Null(StrictJson.TextOf(JsonElement.Parse("[]"), "a"));

    [Theory]
    [InlineData(9_007_199_254_740_991, true), InlineData(9_007_199_254_740_992, false), InlineData(-9_007_199_254_740_991, true)]
    [InlineData(-9_007_199_254_740_992, false), InlineData(0, true), InlineData(long.MinValue, false)]
    public void An_integer_is_held_where_a_double_holds_it(long number, bool isHeld) => Assert.Equal(isHeld, JsonInteger.Holds(number));

    private static bool IsTaken(string json) => StrictJson.TryParseObject(json, out _);
}
