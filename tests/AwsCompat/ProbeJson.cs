using System.Text.Json.Serialization;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.SQSEvents;

namespace ControlPlane.Tests.AwsCompat;

public sealed record Question(string? Text);

public sealed record Answer(string? Text, DateTime? At = null);

public sealed record Unknown(string Text);

[JsonSerializable(typeof(Question))]
[JsonSerializable(typeof(Answer))]
[JsonSerializable(typeof(byte[]))]
[JsonSerializable(typeof(IEnumerable<string>))]
[JsonSerializable(typeof(APIGatewayHttpApiV2ProxyRequest))]
[JsonSerializable(typeof(APIGatewayHttpApiV2ProxyResponse))]
[JsonSerializable(typeof(SQSEvent))]
[JsonSerializable(typeof(SQSBatchResponse))]
internal sealed partial class ProbeJson : JsonSerializerContext;

// A context of its own: both formats nest a ProxyRequestContext, and one context cannot hold two types of one name (SYSLIB1031).
[JsonSerializable(typeof(APIGatewayProxyRequest))]
[JsonSerializable(typeof(APIGatewayProxyResponse))]
internal sealed partial class RestProbeJson : JsonSerializerContext;
