using Amazon.Runtime;
using Amazon.SQS;
using ControlPlane.Operator.Deployments;
using ControlPlane.Operator.Running;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Operator;

/// <summary>How the tool finds what it operates.</summary>
public sealed class DeploymentTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Tables_and_secrets_have_the_names_that_the_template_gives_them()
    {
        using var template = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "serverless.template")));
        var deployment = new StackDeployment("control-plane", "us-east-1");
        var checkedNames = 0;
        foreach (var resource in template.RootElement.GetProperty("Resources").EnumerateObject())
        {
            var (property, name) = resource.Value.GetProperty("Type").GetString() switch
            {
                "AWS::DynamoDB::GlobalTable" or "AWS::DynamoDB::Table" => ("TableName", deployment.TableOf(resource.Name)),
                "AWS::SecretsManager::Secret" => ("Name", deployment.SecretOf(resource.Name)),
                _ => ("", ""),
            };
            if (name.Length == 0)
                continue;
            Assert.Equal(resource.Value.GetProperty("Properties").GetProperty(property).GetProperty("Fn::Sub").GetString()!.Replace("${AWS::StackName}",
                "control-plane"), name);
            checkedNames++;
        }
        Assert.Equal(9, checkedNames);
    }

    /// <summary>The tag that the template hangs on the queue.</summary>
    [Fact]
    public async Task A_stack_says_what_its_tokens_issuer_is()
    {
        using var sqs = new AmazonSQSClient(
            new BasicAWSCredentials("local", "local"),
            new AmazonSQSConfig { ServiceURL = (await cloud.QueueEndpointAsync()).ToString(), AuthenticationRegion = "us-east-1" });
        using var template = System.Text.Json.JsonDocument.Parse(File.ReadAllText(Path.Combine(RepositoryRoot.Find(), "serverless.template")));
        var tag = template.RootElement.GetProperty("Resources").GetProperty("ExecutionRequestsQueue").GetProperty("Properties").GetProperty("Tags")[0];
        Assert.Equal("ControlPlaneUrl", tag.GetProperty("Value").GetProperty("Ref").GetString());
        var stack = $"s{Guid.NewGuid():N}"[..20];
        var deployment = new StackDeployment(stack, "us-east-1");
        Assert.Null(await deployment.IssuerAsync(sqs, Cancel));

        await sqs.CreateQueueAsync(
            new Amazon.SQS.Model.CreateQueueRequest
            {
                QueueName = $"{stack}-ExecutionRequestsQueue-1A2B.fifo",
                Attributes = new() { ["FifoQueue"] = "true" },
                Tags = new() { [tag.GetProperty("Key").GetString()!] = "https://api.example.com" },
            },
            Cancel);

        Assert.Equal("https://api.example.com", await deployment.IssuerAsync(sqs, Cancel));
    }

    [Fact]
    public async Task A_queue_is_found_among_those_of_other_stacks()
    {
        using var sqs = new AmazonSQSClient(
            new BasicAWSCredentials("local", "local"),
                new AmazonSQSConfig { ServiceURL = (await cloud.QueueEndpointAsync()).ToString(), AuthenticationRegion = "us-east-1" });
        var stack = $"s{Guid.NewGuid():N}"[..20];
        foreach (var name in new[] { $"{stack}-DispatchQueue-1A2B3C4D5E6F", $"{stack}-DispatchQueue-2-DispatchQueue-1A2B",
            $"{stack}-2-DispatchQueue-1A2B3C4D5E6F", $"{stack}-DispatchDeadLetters-1A2B3C4D5E6F" })
            await sqs.CreateQueueAsync(name, Cancel);
        await sqs.CreateQueueAsync(
            new Amazon.SQS.Model.CreateQueueRequest { QueueName = $"{stack}-ExecutionRequestsQueue-1A2B.fifo", Attributes = new() { ["FifoQueue"] = "true" } },
            Cancel);

        var deployment = new StackDeployment(stack, "us-east-1");
        Assert.EndsWith($"/{stack}-DispatchQueue-1A2B3C4D5E6F", await deployment.QueueUrlOfAsync("DispatchQueue", sqs, Cancel), StringComparison.Ordinal);
        Assert.EndsWith(
            $"/{stack}-ExecutionRequestsQueue-1A2B.fifo", await deployment.QueueUrlOfAsync("ExecutionRequestsQueue", sqs, Cancel), StringComparison.Ordinal);
        var e = await Assert.ThrowsAsync<NoDeploymentException>(() => deployment.QueueUrlOfAsync("NotificationsQueue", sqs, Cancel));
        Assert.Contains("--stack and --region", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_runs_the_tool_says_how_to_start_it()
    {
        var folder = Directory.CreateTempSubdirectory("ctl-").FullName;
        try
        {
            (await OperatorFixture.SayAsync(TimeProvider.System, "tenant", "list", "--state", folder))
                .Refuses(1, $"No control plane runs on {folder}", "start ./run");
            File.WriteAllText(Path.Combine(folder, "endpoints.json"), "{}");
            (await OperatorFixture.SayAsync(TimeProvider.System, "tenant", "list", "--state", folder)).Refuses(1, "cannot be read", "start it again");
            File.WriteAllText(Path.Combine(folder, "endpoints.json"), """
                {"dynamodb":"http://127.0.0.1:1","sqs":"http://127.0.0.1:1","secrets_manager":"http://127.0.0.1:1","region":"us-east-1","tables":{"TenantsTable":"TenantsTable"},"queues":{},"secrets":{}}
                """);
            (await OperatorFixture.SayAsync(TimeProvider.System, "tenant", "list", "--state", folder)).Refuses(1, "does not answer", "is ./run still running?");
            (await OperatorFixture.SayAsync(TimeProvider.System, "usage", "tenant-7", "--state", folder)).Refuses(1);
        }
        finally { Directory.Delete(folder, recursive: true); }
    }

    [Fact]
    public async Task A_table_that_is_not_there_is_named()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.Tables.Client.DeleteTableAsync(ctl.Tables.Tenants, Cancel);
        (await ctl.SayAsync("tenant list")).Refuses(1, "is not all there", "is ./run still running?");
    }

    [Theory]
    [InlineData("ExpiredTokenException", "have expired: sign in again")]
    [InlineData("UnrecognizedClientException", "set AWS_PROFILE")]
    [InlineData("AccessDeniedException", "docs/operations.md")]
    [InlineData("ResourceNotFoundException", "check --stack and --region")]
    [InlineData("InternalServerError", "AWS says InternalServerError")]
    public void What_AWS_refuses_is_one_line_with_the_mend(string code, string mend)
    {
        var words = Faults.InWords(new AmazonServiceException("one line\nand another") { ErrorCode = code }, new StackDeployment("control-plane", "us-east-1"));
        Assert.Contains(mend, words, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', words);
    }
}
