using System.Text;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.Text;

namespace ControlPlane.Tests.SlackHandler;

public class CommandTextTests
{
    [Theory]
    [InlineData("run wf_sched city=Paris", "run|wf_sched|city=Paris")]
    [InlineData("  run \t wf_sched\n city=Paris ", "run|wf_sched|city=Paris")]
    [InlineData("city=\"New York\"", "city=New York")]
    [InlineData("city='New York'", "city=New York")]
    [InlineData("city=“New York”", "city=New York")]
    [InlineData("city=„New York“", "city=New York")]
    [InlineData("city=‘New York’", "city=New York")]
    [InlineData("city=«New York»", "city=New York")]
    [InlineData("city=”New York\"", "city=New York")]
    [InlineData("note=it's", "note=it's")]
    [InlineData("note='it's done'", "note=it's done")]
    [InlineData("note=\"\"", "note=")]
    [InlineData("note=", "note=")]
    [InlineData("sum=a=b", "sum=a=b")]
    [InlineData("=x", "=x")]
    [InlineData("\"two words\"", "two words")]
    [InlineData("path=C:\\temp\\x", "path=C:\\temp\\x")]
    [InlineData("\ufeffrun\u00a0wf_sched\u2003city=Paris\u3000days=3", "run|wf_sched|city=Paris|days=3")]
    [InlineData("\u202Erun \u2066wf_sch\u200bed\u2069 ci\u200bty=Paris\ufeff", "run|wf_sched|city=Paris")]
    [InlineData("run \u200b x", "run|x")]
    [InlineData("city=\u200b\"New York\"\u200b x", "city=New York|x")]
    [InlineData("city=\"\u200bNew\u00a0York\"", "city=\u200bNew\u00a0York")]
    [InlineData("x=\u202Eabc", "x=\u202Eabc")]
    [InlineData("x=👩‍👩‍👧", "x=👩‍👩‍👧")]
    [InlineData("city=‹New York›", "city=New York")]
    [InlineData("city=＂New York＂", "city=New York")]
    [InlineData("city=＇New York＇", "city=New York")]
    [InlineData("city=「New York」", "city=New York")]
    [InlineData("city=『New York』", "city=New York")]
    [InlineData("city=〝New York〟", "city=New York")]
    [InlineData("city=″New York″", "city=New York")]
    [InlineData("city=′New York′", "city=New York")]
    [InlineData("city=‚New York‘", "city=New York")]
    [InlineData("city=»New York«", "city=New York")]
    [InlineData("", "")]
    public void Words_are_cut_at_blanks_outside_of_quotes(string text, string expected) =>
        Assert.Equal(expected, string.Join('|', CommandText.Words(text)!.Select(word => word.Key is null ? word.Value : $"{word.Key}={word.Value}")));

    [Theory]
    [InlineData("city=\"New York")]
    [InlineData("'oops")]
    [InlineData("run x {\"a\":1")]
    [InlineData("run x \"")]
    public void What_is_opened_has_to_be_closed(string text) => Assert.Null(CommandText.Words(text));

    [Theory]
    [InlineData("""run x '{"city": "New York", "n": {"m": 1}}' --public""")]
    [InlineData("""run x {"city": "New York", "n": {"m": 1}} --public""")]
    [InlineData("""run x ‘{“city”: “New York”, “n”: {“m”: 1}}’ —public""")]
    [InlineData("run x {“city”:\u00a0“New York”,\u3000„n“:\u200b{«m»:\u20021\ufeff}} —public")]
    [InlineData("run x ' {\"city”: “New York\", ＂n＂: {″m″: 1}} ' —public")]
    public void A_json_object_is_one_word_and_may_be_typed_on_a_phone(string text)
    {
        var (arguments, fault) = RunArguments.Parse([.. CommandText.Words(text)!.Skip(1)]);
        Assert.Null(fault);
        Assert.True(arguments!.IsPublic);
        Assert.Equal("New York", arguments.Inputs.GetProperty("city").GetString());
        Assert.Equal(1, arguments.Inputs.GetProperty("n").GetProperty("m").GetInt32());
    }

    [Fact]
    public void Quotes_inside_a_json_string_stay_as_typed()
    {
        var (arguments, _) = RunArguments.Parse(CommandText.Words("""x {"say": "“hello”, it's me"}""")!);
        Assert.Equal("“hello”, it's me", arguments!.Inputs.GetProperty("say").GetString());
    }

    [Theory]
    [InlineData("""x {“say”: “he said "yes" to me”}""", "he said \"yes\" to me")]
    [InlineData("""x {“say”: “he said “yes” to me”}""", "he said “yes” to me")]
    [InlineData("x {“say”: “a\u00a0b\u200bc”}", "a\u00a0b\u200bc")]
    [InlineData("x {\"say\":\u00a0\"“hi”\"}", "“hi”")]
    [InlineData("x {\"say\":\u00a0\"“hi”, she said\"}", "“hi”, she said")]
    [InlineData("x {“say\": \"hi”}", "hi")]
    [InlineData("x {\"say\": \"two\nlines\tof it\"}", "two\nlines\tof it")]
    public void What_stands_inside_a_keyboards_quotes_stays_too(string text, string said)
    {
        var (arguments, fault) = RunArguments.Parse(CommandText.Words(text)!);
        Assert.Null(fault);
        Assert.Equal(said, arguments!.Inputs.GetProperty("say").GetString());
    }

    [Theory]
    [InlineData("", "Which workflow?")]
    [InlineData("x y", "I don't know what to do with y")]
    [InlineData("x a=1 a=2", "a is given twice")]
    [InlineData("x a=1 {\"a\": 2}", "a is given twice")]
    [InlineData("x =1", "There is no name before =1")]
    [InlineData("x --verbose", "There is no option --verbose")]
    [InlineData("x {\"a\": 1, \"a\": 2}", "That JSON can't be read")]
    [InlineData("x {a: 1}", "That JSON can't be read")]
    [InlineData("x {\"a\": \"\\ud800\"}", "That JSON can't be read")]
    [InlineData("x {\"\\ud800\": 1}", "That JSON can't be read")]
    [InlineData("x {\"a\": 1} junk {\"b\": 2}", "That JSON can't be read")]
    public void Arguments_that_make_no_sense_are_named(string text, string fault) =>
        Assert.StartsWith(fault, RunArguments.Parse(CommandText.Words(text)!).Fault, StringComparison.Ordinal);

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void Json_is_sixteen_deep_at_most(int depth, bool taken)
    {
        var json = new StringBuilder("{\"a\":").Insert(0, "x ").Append('[', depth - 1).Append(']', depth - 1).Append('}').ToString();
        Assert.Equal(taken, RunArguments.Parse(CommandText.Words(json)!).Fault is null);
    }

    [Fact]
    public void Values_typed_as_text_are_strings_whatever_they_look_like()
    {
        var (arguments, _) = RunArguments.Parse(CommandText.Words("x days=3 hot=true none=null")!);
        Assert.Equal("""{"days":"3","hot":"true","none":"null"}""", arguments!.Inputs.GetRawText());
    }

    [Theory]
    [InlineData("")]
    [InlineData("help")]
    [InlineData("HELP me")]
    public void Nothing_and_help_ask_for_help(string text) => Assert.Equal(Verbs.Help, Verbs.Of(CommandText.Words(text)!));

    [Theory]
    [InlineData("ru\u0301n x")]                        // n with an accent, decomposed
    [InlineData("r\u00fan x")]
    [InlineData("ｒｕｎ x")]
    [InlineData("\u212Aancel x")]                       // the Kelvin sign
    [InlineData("run=x")]
    public void A_verb_is_plain_ascii(string text) => Assert.Null(Verbs.Of(CommandText.Words(text)!));

    [Theory]
    [InlineData("stauts", "status")]
    [InlineData("rnu", "run")]
    [InlineData("cancle", "cancel")]
    [InlineData("worfklows", "workflows")]
    [InlineData("lst", "list")]
    [InlineData("Usagee", "usage")]
    [InlineData("frobnicate", null)]
    [InlineData("x", null)]
    [InlineData("", null)]
    public void A_slip_of_the_finger_is_recognised(string typed, string? meant) => Assert.Equal(meant, DidYouMean.Nearest(typed, Verbs.All));

    [Fact]
    public void A_very_long_word_is_no_slip() => Assert.Null(DidYouMean.Nearest(new string('r', 8000), Verbs.All));
}
