using Amazon.DynamoDBv2;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;
using Amazon.SQS;
using ControlPlane;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.DpDispatcher;
using ControlPlane.Executions;

return await LambdaProgram.RunAsync(handler => handler == "dispatch" ? Task.FromResult(Dispatch()) : throw LambdaProgram.UnknownEntryPoint("dispatch"));

static LambdaBootstrapBuilder Dispatch()
{
    var clock = TimeProvider.System;
    var settings = Settings.Load();
    var events = new DispatcherEvents(JsonLog.ToStandardOutput(clock), clock);

    // Three tries of 1.5 s: the calls around one dispatch fit the function's time limit together with the dispatch itself.
    var dynamo = new AmazonDynamoDBClient(new AmazonDynamoDBConfig { Timeout = TimeSpan.FromSeconds(1.5), MaxErrorRetry = 2 });
    var sqs = new AmazonSQSClient(new AmazonSQSConfig { Timeout = TimeSpan.FromSeconds(1.5), MaxErrorRetry = 2 });

    var engines = new DataPlaneClient(DispatchLimits.Default, settings.ConnectRoutes, clock);
    var dispatchExecution = new DispatchExecution(
        new ExecutionStore(dynamo, settings.ExecutionsTable, settings.QuotasTable, clock),
        new TenantRegistry(dynamo, settings.TenantsTable),
        engines,
        new TenantGates(clock),
        new MessageQueue<Notification>(sqs, settings.NotificationsQueueUrl, DomainJson.Default.Notification),
        events,
        clock);
    var function = new DispatchFunction(dispatchExecution, new MessagePauses(sqs, settings.DispatchQueueUrl, events), events, clock);

    return LambdaBootstrapBuilder.Create<SQSEvent, SQSBatchResponse>(
        function.DispatchAsync, new EventSerializer(new SourceGeneratorLambdaJsonSerializer<DispatcherJson>()));
}
