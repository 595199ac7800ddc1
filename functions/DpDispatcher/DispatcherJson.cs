using System.Text.Json.Serialization;
using Amazon.Lambda.SQSEvents;

namespace ControlPlane.DpDispatcher;

[JsonSerializable(typeof(SQSEvent))]
[JsonSerializable(typeof(SQSBatchResponse))]
internal sealed partial class DispatcherJson : JsonSerializerContext;
