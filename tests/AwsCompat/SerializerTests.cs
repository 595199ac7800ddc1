using System.Text;
using Amazon.Lambda.Serialization.SystemTextJson;

namespace ControlPlane.Tests.AwsCompat;

public sealed class SerializerTests
{
    private static readonly SourceGeneratorLambdaJsonSerializer<ProbeJson> Json = new();

    [Theory]
    [InlineData("""{"text":"a"}""")]
    [InlineData("""{"Text":"a"}""")]
    [InlineData("""{"TEXT":"a","more":[1,2]}""")]
    public void Names_are_read_in_any_case(string json) => Assert.Equal("a", Read<Question>(json).Text);

    [Fact]
    public void Names_are_written_as_csharp_has_them_and_null_is_left_out()
    {
        Assert.Equal("""{"Text":"a"}""", Written(new Answer("a")));
        Assert.Equal("{}", Written(new Answer(null)));
    }

    [Theory]
    [InlineData("\"2026-11-01T10:00:00Z\"")]
    [InlineData("1793527200")]
    [InlineData("1793527200.0")]
    [InlineData("1793527200000")]
    public void A_time_is_read_from_text_seconds_or_milliseconds(string json) =>
        Assert.Equal(new DateTime(2026, 11, 1, 10, 0, 0, DateTimeKind.Utc), Read<Answer>($$"""{"At":{{json}}}""").At);

    [Fact]
    public void Bytes_are_read_from_base64_or_numbers_and_written_as_numbers()
    {
        Assert.Equal([1, 2, 255], Read<byte[]>("\"AQL/\""));
        Assert.Equal([1, 2, 255], Read<byte[]>("[1,2,255]"));
        Assert.Equal("[1,2,255]", Written<byte[]>([1, 2, 255]));
    }

    [Theory]
    [InlineData("[1,256]")]
    [InlineData("[1,\"a\"]")]
    [InlineData("\"not base64!\"")]
    public void Bytes_that_are_none_are_refused(string json) => Assert.Throws<JsonSerializerException>(() => Read<byte[]>(json));

    [Fact]
    public void A_type_that_the_context_does_not_know_is_named()
    {
        Assert.Contains(nameof(Unknown), Assert.Throws<JsonSerializerException>(() => Read<Unknown>("{}")).Message);
        Assert.Contains(nameof(Unknown), Assert.Throws<JsonSerializerException>(() => Written(new Unknown("a"))).Message);
    }

    [Fact]
    public void The_options_can_be_customized_before_the_context_takes_them()
    {
        var camel = new SourceGeneratorLambdaJsonSerializer<ProbeJson>((System.Text.Json.JsonSerializerOptions options) =>
            options.PropertyNamingPolicy = new AwsNamingPolicy(System.Text.Json.JsonNamingPolicy.CamelCase));
        using var stream = new MemoryStream();
        camel.Serialize(new Answer("a"), stream);

        Assert.Equal("""{"text":"a"}""", Encoding.UTF8.GetString(stream.ToArray()));
    }

    [Fact]
    public void A_stream_is_read_from_where_it_stands()
    {
        using var stream = new MemoryStream();
        stream.Write("""skip me{"Text":"a"}"""u8);
        stream.Position = "skip me".Length;

        Assert.Equal("a", Json.Deserialize<Question>(stream).Text);
    }

    private static T Read<T>(string json) => Json.Deserialize<T>(new MemoryStream(Encoding.UTF8.GetBytes(json)));

    private static string Written<T>(T value)
    {
        using var stream = new MemoryStream();
        Json.Serialize(value, stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
