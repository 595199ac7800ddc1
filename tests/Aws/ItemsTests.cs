using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;

namespace ControlPlane.Tests.Aws;

/// <summary>An attribute of another type than it must have is an error that names it, never a default.</summary>
public class ItemsTests
{
    private static readonly Dictionary<string, AttributeValue> Values = new()
    {
        ["text"] = new() { S = "12" },
        ["number"] = new() { N = "12" },
        ["fraction"] = new() { N = "1.5" },
        ["flag"] = new() { BOOL = true },
        ["null"] = new() { NULL = true },
        ["texts"] = new() { L = [new() { S = "a" }] },
        ["numbers"] = new() { L = [new() { N = "1" }] },
    };

    [Fact]
    public void What_is_of_its_type_is_read_and_what_is_not_there_is_absent()
    {
        Assert.Equal(("12", 12L, true), (Values.RequiredText("text"), Values.RequiredNumber("number"), Values.HasFlag("flag")));
        Assert.Equal(["a"], Values.Texts("texts"));
        Assert.Equal((null, null, false, null), (Values.OptionalText("x"), Values.OptionalNumber("x"), Values.HasFlag("x"), Values.OptionalTime("x")));
        Assert.Empty(Values.Texts("x"));
        Assert.All(
            [() => Values.RequiredText("x"), () => Values.RequiredNumber("x"), () => Values.RequiredTime("x"), (Func<object>)(() => Values.RequiredBytes("x"))],
            Names("x"));
    }

    [Fact]
    public void A_text_is_no_number_and_so_on()
    {
        foreach (var name in new[] { "text", "fraction", "flag", "null" })
            Names(name)(() => Values.OptionalNumber(name)!);
        foreach (var name in new[] { "number", "flag", "null", "texts" })
            Names(name)(() => Values.OptionalText(name)!);
        foreach (var name in new[] { "text", "number", "null" })
            Names(name)(() => Values.HasFlag(name));
        foreach (var name in new[] { "text", "number" })
            Names(name)(() => Values.RequiredBytes(name));
        foreach (var name in new[] { "text", "number" })
            Names(name)(() => Values.OptionalTime(name)!);
        foreach (var name in new[] { "text", "numbers" })
            Names(name)(() => Values.Texts(name));
        Names("text")(() => Values.OptionalJson("text", DomainJson.Default.Workflow)!);
    }

    private static Action<Func<object>> Names(string attribute) =>
        read => Assert.Contains($"'{attribute}'", Assert.Throws<InvalidDataException>(read).Message, StringComparison.Ordinal);
}
