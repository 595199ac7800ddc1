using Amazon.DynamoDBv2;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using ControlPlane;
using ControlPlane.Aws;
using ControlPlane.Logs;
using ControlPlane.MeteringCollector;

var clock = TimeProvider.System;
var log = JsonLog.ToStandardOutput(clock);
var metrics = new Metrics(log, clock);

// Three tries of two seconds fit the function's time; after that the caller tries again, which is cheaper than waiting here.
var dynamo = new AmazonDynamoDBClient(new AmazonDynamoDBConfig { Timeout = TimeSpan.FromSeconds(2), MaxErrorRetry = 2 });

var bootstrap = Setting.Required("_HANDLER") switch
{
    "heartbeats" => Heartbeats(),
    _ => throw new SettingException("_HANDLER", "is none of this function's entry points"),
};
await bootstrap.RunAsync();

LambdaBootstrap Heartbeats()
{
    var settings = HeartbeatsSettings.Load();
    var recordHeartbeat = new RecordHeartbeat(
        new SidecarKeys(new TenantRegistry(dynamo, settings.TenantsTable), clock),
        new InstanceStore(dynamo, settings.InstancesTable, clock),
        new MeteringStore(dynamo, settings.MeteringTable, clock),
        settings.SourceNetworkCheck, log, clock);
    var function = new HeartbeatsFunction(recordHeartbeat, settings.ControlPlaneUrl, metrics, log, clock);
    return LambdaBootstrapBuilder
        .Create<APIGatewayProxyRequest, APIGatewayProxyResponse>(function.AnswerAsync, new SourceGeneratorLambdaJsonSerializer<EventJson>())
        .Build();
}
