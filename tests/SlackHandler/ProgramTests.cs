using System.Text;
using System.Text.Json.Nodes;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>The process as Lambda starts it.</summary>
public class ProgramTests
{
    [Theory]
    [InlineData("nonsense", "", "The setting _HANDLER names none of this function's entry points: commands, notifications")]
    [InlineData("", "", "The setting _HANDLER is missing.")]
    [InlineData("commands", "TENANTS_TABLE", "The setting TENANTS_TABLE is missing.")]
    [InlineData("commands", "SLACK_SECRET_ID", "The setting SLACK_SECRET_ID is missing.")]
    [InlineData("commands", "RATE_LIMIT_PER_USER", "The setting RATE_LIMIT_PER_USER is missing.")]
    [InlineData("notifications", "EXECUTIONS_TABLE", "The setting EXECUTIONS_TABLE is missing.")]
    [InlineData("notifications", "SLACK_SECRET_ID", "The setting SLACK_SECRET_ID is missing.")]
    public Task A_missing_setting_keeps_it_from_starting_and_is_reported_by_name(string handler, string missing, string message) =>
        AssertDoesNotStartAsync(handler, missing, "", message);

    [Theory]
    [InlineData("commands", "")]
    [InlineData("commands", "   ")]
    [InlineData("commands", "secret\n")]
    [InlineData("notifications", "")]
    public async Task An_empty_or_blank_signing_secret_or_one_with_a_line_feed_keeps_it_from_starting(string handler, string signingSecret)
    {
        await using var secrets = new LoopbackServer((http, _) =>
        {
            var answer =
                new JsonObject
                {
                    ["ARN"] = "arn",
                    ["Name"] = "x",
                    ["VersionId"] = "v1",
                    ["CreatedDate"] = 1_795_348_805,
                    ["SecretString"] = SlackFixture.SecretText(signingSecret)
                };
            http.Response.ContentType = "application/x-amz-json-1.1";
            http.Response.Close(Encoding.UTF8.GetBytes(answer.ToJsonString()), willBlock: false);
            return Task.CompletedTask;
        });
        await AssertDoesNotStartAsync(handler, "", $"http://{secrets.Endpoint}", "The Slack secret's signing_secret is empty or has blanks around it.");
    }

    private static async Task AssertDoesNotStartAsync(string handler, string missing, string secrets, string message)
    {
        var environment = new[]
        {
            "TENANTS_TABLE", "EXECUTIONS_TABLE", "QUOTAS_TABLE", "RATE_LIMITS_TABLE", "INSTANCES_TABLE", "AUDIT_TABLE", "SLACK_SECRET_ID",
            "EXECUTION_REQUESTS_QUEUE_URL", "NOTIFICATIONS_QUEUE_URL",
        }.ToDictionary(name =>
            name, name => (string?)(name.EndsWith("_QUEUE_URL", StringComparison.Ordinal) ? "https://sqs.us-east-1.amazonaws.com/123456789012/x" : "x"));
        (environment["RATE_LIMIT_PER_USER"], environment["RATE_LIMIT_PER_TENANT"]) = ("10", "60");
        (environment["_HANDLER"], environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"]) = (handler, secrets);
        if (missing.Length > 0)
            environment[missing] = null;

        (await FailedStart.OfAsync("SlackHandler", environment, TestContext.Current.CancellationToken)).AssertSays(message);
    }
}
