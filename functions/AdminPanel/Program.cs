using Amazon.DynamoDBv2;
using Amazon.Lambda.ApplicationLoadBalancerEvents;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Amazon.SQS;
using ControlPlane.AdminPanel;
using ControlPlane.AdminPanel.Identity;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Aws;
using ControlPlane.Aws.Logs;

var clock = TimeProvider.System;
var events = new AdminPanelEvents(JsonLog.ToStandardOutput(clock), clock);
var json = new EventSerializer(new SourceGeneratorLambdaJsonSerializer<AdminPanelJson>());

return await LambdaProgram.RunAsync(handler => Task.FromResult(handler switch
{
    "admin-panel" => LambdaBootstrapBuilder.Create<ApplicationLoadBalancerRequest, ApplicationLoadBalancerResponse>(Panel(Settings.Load()).AnswerAsync, json),
    _ => throw LambdaProgram.UnknownEntryPoint("admin-panel"),
}));

AdminPanelFunction Panel(Settings settings)
{
    var dynamo = new AmazonDynamoDBClient(new AmazonDynamoDBConfig { Timeout = TimeSpan.FromSeconds(3), MaxErrorRetry = 2 });
    var sqs = new AmazonSQSClient(new AmazonSQSConfig { Timeout = TimeSpan.FromSeconds(5), MaxErrorRetry = 2 });
    var hub = new Hub(dynamo, sqs, settings.Tables, settings.Queues, settings.ControlPlaneUrl, clock);
    var identity = new IdentityCheck(settings.Balancer, settings.Roles, new BalancerKeys(settings.KeysUrl, settings.Routes, clock), clock);
    return new(identity, new Routes(hub), events, clock);
}
