using Amazon.DynamoDBv2;
using Amazon.Lambda.APIGatewayEvents;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.Lambda.SQSEvents;
using Amazon.SQS;
using ControlPlane;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.Executions;
using ControlPlane.Orchestrator;
using ControlPlane.Orchestrator.Jwks;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Orchestrator.Policy;
using ControlPlane.Orchestrator.Requests;
using ControlPlane.Tokens;

var clock = TimeProvider.System;
var events = new OrchestratorEvents(JsonLog.ToStandardOutput(clock), clock);
var json = new EventSerializer(new SourceGeneratorLambdaJsonSerializer<OrchestratorJson>());

return await LambdaProgram.RunAsync(async handler => handler switch
{
    "execution-requests" => LambdaBootstrapBuilder.Create<SQSEvent, SQSBatchResponse>((await ExecutionRequestsAsync(Settings.Load())).StartAsync, json),
    "jwks" => LambdaBootstrapBuilder.Create<APIGatewayProxyRequest, APIGatewayProxyResponse>((await JwksAsync(JwksSettings.Load())).AnswerAsync, json),
    _ => throw LambdaProgram.UnknownEntryPoint("execution-requests", "jwks"),
});

async Task<ExecutionRequestsFunction> ExecutionRequestsAsync(Settings settings)
{
    // Three tries of 1.5 s each: one slow call does not use up the time of a whole batch.
    var dynamo = new AmazonDynamoDBClient(new AmazonDynamoDBConfig { Timeout = TimeSpan.FromSeconds(1.5), MaxErrorRetry = 2 });
    var sqs = new AmazonSQSClient(new AmazonSQSConfig { Timeout = TimeSpan.FromSeconds(1.5), MaxErrorRetry = 2 });

    var planner = new Planner(settings.OutcomesUrl);
    var tokens = new TokenService(await TenantKeysAsync(settings.TokenRootSecretId), new TokenMinter(settings.ControlPlaneUrl, clock), planner);
    var situations = new SituationReader(
        new StandingStore(dynamo, settings.TenantsTable, settings.QuotasTable, clock), new InstanceStore(dynamo, settings.InstancesTable, clock), planner,
        events);
    var executions = new ExecutionStore(dynamo, settings.ExecutionsTable, settings.QuotasTable, clock);
    var dispatches = new MessageQueue<DispatchRequest>(sqs, settings.DispatchQueueUrl, DomainJson.Default.DispatchRequest);
    var notifications = new MessageQueue<Notification>(sqs, settings.NotificationsQueueUrl, DomainJson.Default.Notification);
    return new(
        new StartExecution(situations, tokens, executions, dispatches, notifications, events, clock),
        new SeeToApproval(situations, tokens, executions, dispatches, notifications, events, clock),
        events,
        clock);
}

async Task<JwksFunction> JwksAsync(JwksSettings settings) =>
    new(await TenantKeysAsync(settings.TokenRootSecretId), settings.ControlPlaneUrl, events, clock);

async Task<TenantKeys> TenantKeysAsync(string secretId) =>
    new(await SecretsManagerSource.OpenAsync(secretId, RootSecret.Parse, RootSecret.Overlap, clock), clock);
