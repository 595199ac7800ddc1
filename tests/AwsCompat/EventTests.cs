using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.AwsCompat;

/// <summary>The events as AWS documents them (the files in Events/), through the serializer that functions use.</summary>
public sealed class EventTests
{
    [Fact]
    public void An_http_api_event_is_read_whole()
    {
        var http = Read<APIGatewayHttpApiV2ProxyRequest, ProbeJson>("http-api.json");

        Assert.Equal("2.0", http.Version);
        Assert.Equal("POST /slack/commands", http.RouteKey);
        Assert.Equal("/slack/commands", http.RawPath);
        Assert.Equal("retry=1&tag=a&tag=b", http.RawQueryString);
        Assert.Equal(["session=abc", "theme=dark"], http.Cookies!);
        Assert.Equal("203.0.113.7, 10.0.0.1", http.Headers!["x-forwarded-for"]);
        Assert.Equal("a,b", http.QueryStringParameters!["tag"]);
        Assert.Equal("blue", http.StageVariables!["colour"]);
        Assert.Null(http.PathParameters);
        Assert.True(http.IsBase64Encoded);
        Assert.Equal("command=%2Fworkflow&text=run+city", Encoding.UTF8.GetString(Bytes(http.Body!)));

        var context = http.RequestContext;
        Assert.Equal("123456789012", context.AccountId);
        Assert.Equal("r3pmxmplak", context.ApiId);
        Assert.Equal("r3pmxmplak", context.DomainPrefix);
        Assert.Equal("JKJaXmPLvHcESHA=", context.RequestId);
        Assert.Equal("$default", context.Stage);
        Assert.Equal(1583348638390, context.TimeEpoch);
        Assert.Equal(
            ("POST", "/slack/commands", "HTTP/1.1", "203.0.113.7"), (context.Http.Method, context.Http.Path, context.Http.Protocol, context.Http.SourceIp));
        Assert.Equal("user-1", context.Authorizer!.Jwt!.Claims!["sub"]);
        Assert.Equal(["read", "write"], context.Authorizer.Jwt.Scopes!);
        Assert.Equal(3, Assert.IsType<JsonElement>(context.Authorizer.Lambda!["level"]).GetInt32());
    }

    [Fact]
    public void A_rest_api_event_is_read_whole()
    {
        var http = Read<APIGatewayProxyRequest, RestProbeJson>("rest-api.json");

        Assert.Equal("/tenants/{tenant_id}/jwks.json", http.Resource);
        Assert.Equal("/tenants/tenant-43/jwks.json", http.Path);
        Assert.Equal("GET", http.HttpMethod);
        Assert.Equal("second", http.Headers!["X-Many"]);
        Assert.Equal(["first", "second"], http.MultiValueHeaders!["X-Many"]);
        Assert.Equal("2", http.QueryStringParameters!["v"]);
        Assert.Equal(["1", "2"], http.MultiValueQueryStringParameters!["v"]);
        Assert.Equal("tenant-43", http.PathParameters!["tenant_id"]);
        Assert.Null(http.StageVariables);
        Assert.Null(http.Body);
        Assert.False(http.IsBase64Encoded);

        var context = http.RequestContext;
        Assert.Equal("77375676-xmpl-4b79-853a-f982474efe18", context.RequestId);
        Assert.Equal("JJbxmplHYosFVYQ=", context.ExtendedRequestId);
        Assert.Equal("Prod", context.Stage);
        Assert.Equal("/Prod/tenants/tenant-43/jwks.json", context.Path);
        Assert.Equal(1583798639428, context.RequestTimeEpoch);
        Assert.Equal("10.142.1.10", context.Identity.SourceIp);
        Assert.Equal("n8n-sidecar/1.0", context.Identity.UserAgent);
        Assert.Null(context.Identity.Caller);
        Assert.Equal("user-1", Assert.IsType<JsonElement>(context.Authorizer!["principalId"]).GetString());
    }

    [Fact]
    public void An_sqs_event_is_read_whole()
    {
        var message = Assert.Single(Read<SQSEvent, ProbeJson>("sqs.json").Records);

        Assert.Equal("11d6ee51-4cc7-4302-9e22-7cd8afdaadf5", message.MessageId);
        Assert.Equal("AQEBBX8nesZEXmkhsmZeyIE8iQAMig7qw...", message.ReceiptHandle);
        Assert.Equal("""{"execution_id":"exec_1"}""", message.Body);
        Assert.Equal("2", message.Attributes["ApproximateReceiveCount"]);
        Assert.Equal("exec_1", message.Attributes["MessageGroupId"]);
        Assert.Equal("String", message.MessageAttributes["traceparent"].DataType);
        Assert.StartsWith("00-4bf92f35", message.MessageAttributes["traceparent"].StringValue);
        Assert.Equal([1, 2, 3], message.MessageAttributes["blob"].BinaryValue!.ToArray());
        Assert.Equal([4, 5], Assert.Single(message.MessageAttributes["blob"].BinaryListValues!).ToArray());
        Assert.Equal("e4e68fb7bd0e697a0ae8f1bb342846b3", message.Md5OfBody);
        Assert.Equal("aws:sqs", message.EventSource);
        Assert.Equal("arn:aws:sqs:us-east-2:123456789012:requests.fifo", message.EventSourceArn);
        Assert.Equal("us-east-2", message.AwsRegion);
    }

    [Fact]
    public void Answers_are_written_as_the_services_read_them()
    {
        var http =
            new APIGatewayHttpApiV2ProxyResponse
            {
                StatusCode = 200,
                Headers = new Dictionary<string, string> { ["X-A"] = "b" },
                Cookies = ["a=b"],
                Body = "é<>&"
            };
        Assert.Equal(
            """{"statusCode":200,"headers":{"X-A":"b"},"cookies":["a=b"],"body":"é<>&","isBase64Encoded":false}""", Written<APIGatewayHttpApiV2ProxyResponse,
            ProbeJson>(http));

        var rest =
            new APIGatewayProxyResponse
            {
                StatusCode = 404,
                MultiValueHeaders = new Dictionary<string, IList<string>> { ["X-A"] = ["b", "c"] },
                IsBase64Encoded = true
            };
        Assert.Equal(
            """{"statusCode":404,"multiValueHeaders":{"X-A":["b","c"]},"isBase64Encoded":true}""", Written<APIGatewayProxyResponse, RestProbeJson>(rest));

        Assert.Equal("""{"batchItemFailures":[]}""", Written<SQSBatchResponse, ProbeJson>(new()));
        Assert.Equal("""{"batchItemFailures":[{"itemIdentifier":"id-1"}]}""", Written<SQSBatchResponse, ProbeJson>(new([new() { ItemIdentifier = "id-1" }])));
    }

    [Fact]
    public void Header_values_are_joined_or_replaced()
    {
        var answer = new APIGatewayHttpApiV2ProxyResponse();
        answer.SetHeaderValues("Vary", "a", append: true);
        answer.SetHeaderValues("Vary", ["b", "c"], append: true);
        Assert.Equal("a,b,c", answer.Headers!["Vary"]);

        answer.SetHeaderValues("Vary", "d", append: false);
        Assert.Equal("d", answer.Headers["Vary"]);
    }

    internal static T Read<T, TContext>(string file) where TContext : JsonSerializerContext
    {
        using var stream = File.OpenRead(Path.Combine(RepositoryRoot.Find(), "tests", "AwsCompat", "Events", file));
        return SerializerOf<TContext>.Json.Deserialize<T>(stream);
    }

    private static string Written<T, TContext>(T answer) where TContext : JsonSerializerContext
    {
        using var stream = new MemoryStream();
        SerializerOf<TContext>.Json.Serialize(answer, stream);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static byte[] Bytes(string base64) => JsonSerializer.Deserialize($"\"{base64}\"", ProbeJson.Default.ByteArray)!;

    private static class SerializerOf<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TContext>
        where TContext : JsonSerializerContext
    {
        public static readonly SourceGeneratorLambdaJsonSerializer<TContext> Json = new();
    }
}
