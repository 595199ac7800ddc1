using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Aws;

namespace ControlPlane.Tests.Aws;

public sealed partial class EventSerializerTests
{
    private static readonly EventSerializer Serializer = new(new SourceGeneratorLambdaJsonSerializer<EventJson>());

    [Theory]
    [InlineData("\"a word\""), InlineData("5"), InlineData("null"), InlineData("[]"), InlineData("[1]"), InlineData("{"), InlineData(""),
        InlineData("""{"Records":"x"}"""), InlineData("""{"Records":{}}"""), InlineData("""{"requestContext":"x"}""")]
    public void What_no_queue_or_API_sent_is_no_event(string text)
    {
        Assert.Null(Read<SQSEvent>(text)?.Records);
        Assert.Null(Read<APIGatewayProxyRequest>(text)?.RequestContext);
    }

    /// <summary>A batch that became none would be deleted; a request would be called malformed, and its sender believe it.</summary>
    [Fact]
    public void What_one_did_send_and_cannot_be_read_is_our_error()
    {
        Assert.ThrowsAny<Exception>(() => Read<SQSEvent>("""{"Records":[{"messageId":"m1","body":5}]}"""));
        Assert.ThrowsAny<Exception>(() => Read<APIGatewayProxyRequest>("""{"requestContext":{"requestId":"r1"},"headers":[]}"""));
    }

    [Fact]
    public void An_event_is_read_and_an_answer_written()
    {
        Assert.Equal("m1", Assert.Single(Read<SQSEvent>("""{"Records":[{"messageId":"m1","body":"x"}]}""")!.Records).MessageId);
        using var answer = new MemoryStream();
        Serializer.Serialize(new APIGatewayProxyResponse { StatusCode = 200 }, answer);
        Assert.Equal(200, JsonDocument.Parse(answer.ToArray()).RootElement.GetProperty("statusCode").GetInt32());
    }

    private static T? Read<T>(string text) where T : class => Serializer.Deserialize<T>(new MemoryStream(Encoding.UTF8.GetBytes(text)));

    [JsonSerializable(typeof(SQSEvent))]
    [JsonSerializable(typeof(APIGatewayProxyRequest))]
    [JsonSerializable(typeof(APIGatewayProxyResponse))]
    private sealed partial class EventJson : JsonSerializerContext;
}
