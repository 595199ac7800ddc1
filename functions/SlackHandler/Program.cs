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
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Events;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Interactions;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.SlackHandler.WebApi;

var clock = TimeProvider.System;
var events = new SlackHandlerEvents(JsonLog.ToStandardOutput(clock), clock);
var serializer = new EventSerializer(new SourceGeneratorLambdaJsonSerializer<LambdaJson>());

return await LambdaProgram.RunAsync(async handler => handler switch
{
    "commands" => LambdaBootstrapBuilder.Create<APIGatewayHttpApiV2ProxyRequest,
    APIGatewayHttpApiV2ProxyResponse>((await CommandsAsync(CommandsSettings.Load())).RouteAsync, serializer),
    "notifications" =>
        LambdaBootstrapBuilder.Create<SQSEvent, SQSBatchResponse>((await NotificationsAsync(NotificationsSettings.Load())).TellAsync, serializer),
    "installation" => LambdaBootstrapBuilder.Create<APIGatewayHttpApiV2ProxyRequest,
    APIGatewayHttpApiV2ProxyResponse>((await InstallationAsync(InstallationSettings.Load())).RouteAsync, serializer),
    "events" => LambdaBootstrapBuilder.Create<APIGatewayHttpApiV2ProxyRequest,
    APIGatewayHttpApiV2ProxyResponse>((await EventsAsync(EventsSettings.Load())).AnswerAsync, serializer),
    _ => throw LambdaProgram.UnknownEntryPoint("commands", "notifications", "installation", "events"),
});

async Task<SlackCommandsFunction> CommandsAsync(CommandsSettings settings)
{
    var dynamo = new AmazonDynamoDBClient(CommandClients.DynamoDb());
    var sqs = new AmazonSQSClient(CommandClients.Sqs());
    var secret = await SecretAsync(settings.SlackSecretId);

    var replies = new ReplyStore(dynamo, settings.ExecutionsTable, clock);
    var requests = new SlackRequests(dynamo, settings.RateLimitsTable, replies, settings.RateLimit, clock);
    var executions = new ExecutionStore(dynamo, settings.ExecutionsTable, settings.QuotasTable, clock);
    var audit = new AuditTrail(dynamo, settings.AuditTable, clock);
    var lookup = new ExecutionLookup(executions, replies);
    var orders = new MessageQueue<ExecutionRequest>(sqs, settings.ExecutionRequestsQueueUrl, DomainJson.Default.ExecutionRequest);
    var toTell = new MessageQueue<Notification>(sqs, settings.NotificationsQueueUrl, DomainJson.Default.Notification);

    var tokens = new BotTokens(new SlackInstallations(dynamo, settings.TenantsTable, clock), secret);
    var slack = new SlackWebApi(SlackConnections.HandlerFor(settings.Routes));
    var modals = new ModalSeal(secret);
    var run = new RunCommand(requests, new ReplySeal(secret), orders, new AskForInputs(tokens, slack, modals, events), clock, events);
    var callers = new Callers(new TenantRegistry(dynamo, settings.TenantsTable));
    var carryOut = new CarryOutCommand(
        callers, requests,
        new CommandSet(
            run,
            new AgainCommand(lookup, run),
            new StatusCommand(lookup),
            new WhyCommand(lookup),
            new ListCommand(executions),
            new UsageCommand(new QuotaLedger(dynamo, settings.QuotasTable), new InstanceStore(dynamo, settings.InstancesTable, clock), clock),
            new CancelCommand(lookup, executions, audit, toTell, events),
            new ApproveCommand(
                lookup, executions, audit,
                new MessageQueue<ApprovalGiven>(sqs, settings.ExecutionRequestsQueueUrl, DomainJson.Default.ApprovalGiven), toTell, events, clock),
            new ScheduleCommand(new ScheduleStore(dynamo, settings.ExecutionsTable, clock), audit, tokens, clock)),
        clock, events);

    var origin = new OriginCheck(secret);
    var door = new SlackDoor(origin, new SlackSignature(secret, clock), events);
    var answerInteraction = new AnswerInteraction(
        door, callers, carryOut, new SubmitRun(callers, run, modals), new SlackHook(SlackConnections.HandlerFor(settings.Routes)), tokens, slack, events);
    var stores = new StoreCheck(
        dynamo, [settings.TenantsTable, settings.ExecutionsTable, settings.QuotasTable],
        sqs, [settings.ExecutionRequestsQueueUrl, settings.NotificationsQueueUrl], clock, counters: settings.RateLimitsTable);
    return new(new AnswerCommand(origin, door, carryOut), answerInteraction, new CheckHealth(stores, settings.Region, Release.Version), events, clock);
}

async Task<NotificationsFunction> NotificationsAsync(NotificationsSettings settings)
{
    var dynamo = new AmazonDynamoDBClient(new AmazonDynamoDBConfig { Timeout = TimeSpan.FromSeconds(3), MaxErrorRetry = 2 });
    var secret = await SecretAsync(settings.SlackSecretId);
    var replies = new ReplyStore(dynamo, settings.ExecutionsTable, clock);
    var tokens = new BotTokens(new SlackInstallations(dynamo, settings.TenantsTable, clock), secret);
    var slack = new SlackWebApi(SlackConnections.HandlerFor(settings.Routes));
    var executions = new ExecutionStore(dynamo, settings.ExecutionsTable, settings.QuotasTable, clock);
    var tellRequester = new TellRequester(
        executions,
        replies,
        new ReplySeal(secret),
        new SlackHook(SlackConnections.HandlerFor(settings.Routes)),
        new TellByBot(replies, tokens, slack, events),
        new TellProgress(replies, tokens, slack, events, clock),
        new TellApprovers(executions, replies, tokens, slack, events),
        events, clock);
    return new(tellRequester, new TellUsage(new UsageWarningStore(dynamo, settings.QuotasTable, clock), tokens, slack, events), events, clock);
}

async Task<SlackInstallationFunction> InstallationAsync(InstallationSettings settings)
{
    var secret = await SecretAsync(settings.SlackSecretId);
    var origin = new OriginCheck(secret);
    var dynamo = new AmazonDynamoDBClient(new AmazonDynamoDBConfig { Timeout = TimeSpan.FromSeconds(2), MaxErrorRetry = 1 });
    var installations = new SlackInstallations(dynamo, settings.TenantsTable, clock);
    var places = new SlackPlaces(settings.ControlPlaneUrl, settings.SlackUrl);
    return new(
        new BeginInstallation(origin, secret, installations, places, events, clock),
        new CompleteInstallation(
            origin, secret, installations, new AuditTrail(dynamo, settings.AuditTable, clock), new BotTokens(installations, secret),
            new SlackWebApi(SlackConnections.HandlerFor(settings.Routes)), places, events, clock),
        events, clock);
}

async Task<SlackEventsFunction> EventsAsync(EventsSettings settings)
{
    var secret = await SecretAsync(settings.SlackSecretId);
    var dynamo = new AmazonDynamoDBClient(CommandClients.DynamoDb());
    var installations = new SlackInstallations(dynamo, settings.TenantsTable, clock);
    var home = new PublishHome(
        new Callers(new TenantRegistry(dynamo, settings.TenantsTable)),
        new ListCommand(new ExecutionStore(dynamo, settings.ExecutionsTable, settings.QuotasTable, clock)),
        new UsageCommand(new QuotaLedger(dynamo, settings.QuotasTable), new InstanceStore(dynamo, settings.InstancesTable, clock), clock),
        new BotTokens(installations, secret), new SlackWebApi(SlackConnections.HandlerFor(settings.Routes)), events);
    var audit = new AuditTrail(dynamo, settings.AuditTable, clock);
    return new(new AnswerEvent(new OriginCheck(secret), new SlackSignature(secret, clock), installations, audit, home, events), events, clock);
}

Task<RotatingSecret<SlackSecret>> SecretAsync(string secretId) => SecretsManagerSource.OpenAsync(secretId, SlackSecret.Parse, SlackSecret.Overlap, clock);
