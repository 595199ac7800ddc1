using Amazon.DynamoDBv2;
using Amazon.SQS;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;
using ControlPlane.DpDispatcher;
using ControlPlane.Executions;
using ControlPlane.Http;
using ControlPlane.MeteringCollector;
using ControlPlane.MeteringCollector.Heartbeats;
using ControlPlane.MeteringCollector.Outcomes;
using ControlPlane.MeteringCollector.Sweeper;
using ControlPlane.Orchestrator;
using ControlPlane.Orchestrator.Plans;
using ControlPlane.Orchestrator.Policy;
using ControlPlane.Orchestrator.Requests;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.SlackHandler;
using ControlPlane.SlackHandler.Authentication;
using ControlPlane.SlackHandler.Commands;
using ControlPlane.SlackHandler.Installation;
using ControlPlane.SlackHandler.Interactions;
using ControlPlane.SlackHandler.Notifications;
using ControlPlane.SlackHandler.Replies;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>What all functions of one control plane share.</summary>
internal sealed record Surroundings(
    TestTables Tables, KeptSecrets SlackSecret, KeptSecrets TokenRoot, HttpMessageHandler Slack, ConnectRoutes Routes, Stream Log, TimeProvider Clock);

/// <summary>Every function as its program composes it, with memory of its own: made anew, all processes have started again.</summary>
internal sealed class Functions : IDisposable
{
    public static readonly Uri ControlPlaneUrl = new("https://api.example.com");

    private readonly DataPlaneClient _engines;

    public Functions(Surroundings around, IAmazonDynamoDB dynamo, IAmazonSQS sqs)
    {
        var (tables, clock) = (around.Tables, around.Clock);
        var log = new JsonLog(around.Log, clock);
        var slackEvents = new SlackHandlerEvents(log, clock);
        var secret = new RotatingSecret<SlackSecret>(around.SlackSecret, "slack", SlackSecret.Parse, SlackSecret.Overlap, clock);
        var keys = new TenantKeys(new RotatingSecret<RootSecret>(around.TokenRoot, "root", RootSecret.Parse, RootSecret.Overlap, clock), clock);
        var registry = new TenantRegistry(dynamo, tables.Tenants);
        var executions = new ExecutionStore(dynamo, tables.Executions, tables.Quotas, clock);
        var instances = new InstanceStore(dynamo, tables.Instances, clock);
        var replies = new ReplyStore(dynamo, tables.Executions, clock);
        var lookup = new ExecutionLookup(executions, replies);
        var requests = new SlackRequests(dynamo, tables.RateLimits, replies, new(PerUser: 10, PerTenant: 60), clock);
        var orders = new MessageQueue<ExecutionRequest>(sqs, SimulatedQueues.UrlOf("ExecutionRequestsQueue"), DomainJson.Default.ExecutionRequest);
        var approvals = new MessageQueue<ApprovalGiven>(sqs, SimulatedQueues.UrlOf("ExecutionRequestsQueue"), DomainJson.Default.ApprovalGiven);
        var dispatches = new MessageQueue<DispatchRequest>(sqs, SimulatedQueues.UrlOf("DispatchQueue"), DomainJson.Default.DispatchRequest);
        var notices = new MessageQueue<UsageNotice>(sqs, SimulatedQueues.UrlOf("NotificationsQueue"), DomainJson.Default.UsageNotice);
        var notifications = new MessageQueue<Notification>(sqs, SimulatedQueues.UrlOf("NotificationsQueue"), DomainJson.Default.Notification);

        var tokens = new BotTokens(new SlackInstallations(dynamo, tables.Tenants, clock), secret);
        var slack = new SlackWebApi(around.Slack);
        var modals = new ModalSeal(secret);
        var run = new RunCommand(requests, new ReplySeal(secret), orders, new AskForInputs(tokens, slack, modals, slackEvents), clock, slackEvents);
        var callers = new Callers(registry);
        var carryOut = new CarryOutCommand(
            callers, requests,
            new CommandSet(
                run, new AgainCommand(lookup, run), new StatusCommand(lookup), new WhyCommand(lookup), new ListCommand(executions),
                new UsageCommand(new QuotaLedger(dynamo, tables.Quotas), instances, clock),
                new CancelCommand(lookup, executions, new(dynamo, tables.Audit, clock), notifications, slackEvents),
                new ApproveCommand(lookup, executions, new(dynamo, tables.Audit, clock), approvals, notifications, slackEvents, clock),
                new ScheduleCommand(new ScheduleStore(dynamo, tables.Executions, clock), new(dynamo, tables.Audit, clock), tokens, clock)),
            clock, slackEvents);
        var origin = new OriginCheck(secret);
        var door = new SlackDoor(origin, new SlackSignature(secret, clock), slackEvents);
        Commands = new(
            new AnswerCommand(origin, door, carryOut),
            new AnswerInteraction(door, callers, carryOut, new SubmitRun(callers, run, modals), new SlackHook(around.Slack), tokens, slack, slackEvents),
            new CheckHealth(new StoreCheck(dynamo, [tables.Tenants], sqs, [], clock), "us-east-1", "1"), slackEvents, clock);
        Notifications = new(
            new TellRequester(
                executions, replies, new ReplySeal(secret), new SlackHook(around.Slack), new TellByBot(replies, tokens, slack, slackEvents),
                new TellProgress(replies, tokens, slack, slackEvents, clock),
                new TellApprovers(executions, replies, tokens, slack, slackEvents),
                slackEvents, clock),
            new TellUsage(new(dynamo, tables.Quotas, clock), tokens, slack, slackEvents), slackEvents, clock);

        var planner = new Planner(new Uri(ControlPlaneUrl, "/outcomes/execution"));
        var orchestratorEvents = new OrchestratorEvents(log, clock);
        var situations = new SituationReader(new StandingStore(dynamo, tables.Tenants, tables.Quotas, clock), instances, planner, orchestratorEvents);
        var tokenService = new TokenService(keys, new TokenMinter(ControlPlaneUrl, clock), planner);
        ExecutionRequests = new(
            new StartExecution(situations, tokenService, executions, dispatches, notifications, orchestratorEvents, clock),
            new SeeToApproval(situations, tokenService, executions, dispatches, notifications, orchestratorEvents, clock),
            orchestratorEvents, clock);

        _engines = new(DispatchLimits.Default, around.Routes, TimeProvider.System);
        var dispatcherEvents = new DispatcherEvents(log, clock);
        Dispatch = new(
            new DispatchExecution(executions, registry, _engines, new TenantGates(clock), notifications, dispatcherEvents, clock),
            new MessagePauses(sqs, SimulatedQueues.UrlOf("DispatchQueue"), dispatcherEvents), dispatcherEvents, clock);

        var meteringEvents = new MeteringEvents(log, clock);
        Outcomes = new(
            new RecordOutcome(
                new TokenVerifier(keys, ControlPlaneUrl, clock), executions, notifications,
                new SourceNetwork(SourceNetworkCheck.Enforce, meteringEvents), meteringEvents, clock), ControlPlaneUrl, meteringEvents, clock);
        Heartbeats = new(
            new RecordHeartbeat(
                new SidecarKeys(registry, clock), instances, new MeteringStore(dynamo, tables.Metering, clock),
                new SourceNetwork(SourceNetworkCheck.Enforce, meteringEvents), clock),
            ControlPlaneUrl, meteringEvents, clock);
        Sweeper = new(
            new ActiveRegion(dynamo, tables.Quotas, "us-east-1"), "us-east-1",
            new CloseDueExecutions(executions, notifications, approvals, meteringEvents, clock),
            new CloseLostRequests(replies, executions, notifications, meteringEvents, clock),
            new FireSchedules(new ScheduleStore(dynamo, tables.Executions, clock), executions, orders, meteringEvents, clock),
            new WatchDataPlanes(
                registry, instances,
                new WarnOfUsage(new QuotaLedger(dynamo, tables.Quotas), new UsageWarningStore(dynamo, tables.Quotas, clock), notices, meteringEvents, clock),
                new TakeCensus(new QuotaLedger(dynamo, tables.Quotas), executions, new CensusStore(dynamo, tables.Instances)), meteringEvents, clock),
            meteringEvents, clock);
    }

    public SlackCommandsFunction Commands { get; }
    public NotificationsFunction Notifications { get; }
    public global::ControlPlane.Orchestrator.Requests.ExecutionRequestsFunction ExecutionRequests { get; }
    public global::ControlPlane.DpDispatcher.DispatchFunction Dispatch { get; }
    public OutcomesFunction Outcomes { get; }
    public HeartbeatsFunction Heartbeats { get; }
    public SweeperFunction Sweeper { get; }

    public void Dispose() => _engines.Dispose();
}
