using Amazon.DynamoDBv2;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.SQS;
using ControlPlane;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Enrolment;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.MeteringCollector.Outcomes;
using ControlPlane.MeteringCollector.Sweeper;
using ControlPlane.Tokens;

var clock = TimeProvider.System;
var events = new MeteringEvents(JsonLog.ToStandardOutput(clock), clock);
var json = new EventSerializer(new SourceGeneratorLambdaJsonSerializer<EventJson>());

return await LambdaProgram.RunAsync(async handler => handler switch
{
    "outcomes" =>
        LambdaBootstrapBuilder.Create<APIGatewayProxyRequest, APIGatewayProxyResponse>((await OutcomesAsync(OutcomesSettings.Load())).AnswerAsync, json),
    "heartbeats" => LambdaBootstrapBuilder.Create<APIGatewayProxyRequest, APIGatewayProxyResponse>(Heartbeats(HeartbeatsSettings.Load()).AnswerAsync, json),
    "enrolment" => LambdaBootstrapBuilder.Create<APIGatewayProxyRequest, APIGatewayProxyResponse>(Enrolment(EnrolmentSettings.Load()).AnswerAsync, json),
    "sweeper" => LambdaBootstrapBuilder.Create(Sweeper(SweeperSettings.Load()).SweepAsync),
    _ => throw LambdaProgram.UnknownEntryPoint("outcomes", "heartbeats", "enrolment", "sweeper"),
});

HeartbeatsFunction Heartbeats(HeartbeatsSettings settings)
{
    var dynamo = NewDynamoDb();
    var recordHeartbeat = new RecordHeartbeat(
        new SidecarKeys(new TenantRegistry(dynamo, settings.TenantsTable), clock),
        new InstanceStore(dynamo, settings.InstancesTable, clock),
        new MeteringStore(dynamo, settings.MeteringTable, clock),
        new SourceNetwork(settings.SourceNetworkCheck, events),
        clock);
    return new(recordHeartbeat, settings.ControlPlaneUrl, events, clock);
}

EnrolmentFunction Enrolment(EnrolmentSettings settings)
{
    var dynamo = NewDynamoDb();
    var enrolSidecar = new EnrolSidecar(
        new EnrolmentStore(dynamo, settings.TenantsTable, clock),
        new EnrolmentTries(dynamo, settings.RateLimitsTable, clock),
        new TenantRegistry(dynamo, settings.TenantsTable),
        new CallerIdentities(CallerIdentities.NewClient()),
        new SourceNetwork(settings.SourceNetworkCheck, events),
        clock);
    return new(enrolSidecar, settings.ControlPlaneUrl, events, clock);
}

async Task<OutcomesFunction> OutcomesAsync(OutcomesSettings settings)
{
    var root = await SecretsManagerSource.OpenAsync(settings.TokenRootSecretId, RootSecret.Parse, RootSecret.Overlap, clock);
    var recordOutcome = new RecordOutcome(
        new TokenVerifier(new TenantKeys(root, clock), settings.ControlPlaneUrl, clock),
        new ExecutionStore(NewDynamoDb(), settings.ExecutionsTable, settings.QuotasTable, clock),
        new MessageQueue<Notification>(NewSqs(), settings.NotificationsQueueUrl, DomainJson.Default.Notification),
        new SourceNetwork(settings.SourceNetworkCheck, events),
        events,
        clock);
    return new(recordOutcome, settings.ControlPlaneUrl, events, clock);
}

SweeperFunction Sweeper(SweeperSettings settings)
{
    var dynamo = NewDynamoDb();
    var executions = new ExecutionStore(dynamo, settings.ExecutionsTable, settings.QuotasTable, clock);
    var sqs = NewSqs();
    var notifications = new MessageQueue<Notification>(sqs, settings.NotificationsQueueUrl, DomainJson.Default.Notification);
    var notices = new MessageQueue<UsageNotice>(sqs, settings.NotificationsQueueUrl, DomainJson.Default.UsageNotice);
    var orders = new MessageQueue<ExecutionRequest>(sqs, settings.ExecutionRequestsQueueUrl, DomainJson.Default.ExecutionRequest);
    var approvals = new MessageQueue<ApprovalGiven>(sqs, settings.ExecutionRequestsQueueUrl, DomainJson.Default.ApprovalGiven);
    return new(
        new ActiveRegion(dynamo, settings.QuotasTable, settings.PrimaryRegion),
        settings.Region,
        new CloseDueExecutions(executions, notifications, approvals, events, clock),
        new CloseLostRequests(new ReplyStore(dynamo, settings.ExecutionsTable, clock), executions, notifications, events, clock),
        new FireSchedules(new ScheduleStore(dynamo, settings.ExecutionsTable, clock), executions, orders, events, clock),
        new WatchDataPlanes(
            new TenantRegistry(dynamo, settings.TenantsTable), new InstanceStore(dynamo, settings.InstancesTable, clock),
            new WarnOfUsage(new QuotaLedger(dynamo, settings.QuotasTable), new UsageWarningStore(dynamo, settings.QuotasTable, clock), notices, events, clock),
            new TakeCensus(new QuotaLedger(dynamo, settings.QuotasTable), executions, new CensusStore(dynamo, settings.InstancesTable)), events, clock),
        events,
        clock);
}

// Three tries of 1.5 s each fit the functions' ten seconds. Whoever called tries again after that: it costs less than waiting here.
AmazonDynamoDBClient NewDynamoDb() => new(new AmazonDynamoDBConfig { Timeout = TimeSpan.FromSeconds(1.5), MaxErrorRetry = 2 });

AmazonSQSClient NewSqs() => new(new AmazonSQSConfig { Timeout = TimeSpan.FromSeconds(1.5), MaxErrorRetry = 2 });
