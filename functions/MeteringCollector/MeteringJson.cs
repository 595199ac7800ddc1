using System.Text.Json.Serialization;
using Amazon.Lambda.APIGatewayEvents;

namespace ControlPlane.MeteringCollector;

/// <summary>Lambda's events, named as AWS names them.</summary>
[JsonSerializable(typeof(APIGatewayProxyRequest))]
[JsonSerializable(typeof(APIGatewayProxyResponse))]
internal sealed partial class EventJson : JsonSerializerContext;
