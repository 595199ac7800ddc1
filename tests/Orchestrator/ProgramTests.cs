using ControlPlane.Local.Secrets;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Orchestrator;

/// <summary>The process as Lambda starts it.</summary>
public class ProgramTests
{
    [Theory]
    [InlineData("nonsense", "", "The setting _HANDLER names none of this function's entry points: execution-requests, jwks")]
    [InlineData("execution-requests", "TENANTS_TABLE", "The setting TENANTS_TABLE is missing.")]
    [InlineData("execution-requests", "INSTANCES_TABLE", "The setting INSTANCES_TABLE is missing.")]
    [InlineData("execution-requests", "DISPATCH_QUEUE_URL", "The setting DISPATCH_QUEUE_URL is missing.")]
    [InlineData("execution-requests", "OUTCOMES_URL", "The setting OUTCOMES_URL is missing.")]
    [InlineData("execution-requests", "AWS_REGION", "The setting AWS_REGION is missing.")]
    [InlineData("jwks", "TOKEN_ROOT_SECRET_ID", "The setting TOKEN_ROOT_SECRET_ID is missing.")]
    [InlineData("jwks", "CONTROL_PLANE_URL", "The setting CONTROL_PLANE_URL is missing.")]
    public async Task A_missing_setting_keeps_it_from_starting_and_is_reported_by_name(string handler, string missing, string message) =>
        (await StartAsync(handler, missing, secret: "{}")).AssertSays(message);

    [Theory]
    [InlineData("x"), InlineData("control-plane-dispatch"), InlineData("https://sqs.us-east-1.amazonaws.com"),
        InlineData("https://sqs.us-east-1.amazonaws.com/"), InlineData("sqs:x"), InlineData("/123456789012/x")]
    public async Task A_queue_address_that_is_none_keeps_it_from_starting_and_is_reported_by_name(string address) =>
        (await StartAsync("execution-requests", "", secret: "{}", ("DISPATCH_QUEUE_URL", address))).AssertSays("The setting DISPATCH_QUEUE_URL is not ");

    [Theory]
    [InlineData("execution-requests", """{"root":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="}""")]
    [InlineData("execution-requests", "SECRET-that-is-not-JSON")]
    [InlineData("jwks", """{"root":""}""")]
    public async Task A_short_or_unreadable_root_secret_keeps_it_from_starting_and_is_not_quoted(string handler, string secret)
    {
        var start = await StartAsync(handler, "", secret);

        start.AssertSays("The token root secret is not ");
        Assert.DoesNotContain("SECRET", start.Output + start.InitError, StringComparison.Ordinal);
        Assert.DoesNotContain("AAECAw", start.Output + start.InitError, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("execution-requests")]
    [InlineData("jwks")]
    public async Task A_root_secret_that_is_not_there_keeps_it_from_starting(string handler)
    {
        var start = await StartAsync(handler, "", secret: null);

        Assert.Equal(1, start.ExitCode);
        Assert.StartsWith("/2018-06-01/runtime/init/error ", start.InitError, StringComparison.Ordinal);
    }

    private static async Task<FailedStart> StartAsync(string handler, string missing, string? secret, (string Name, string Value)? other = null)
    {
        await using var secrets = await SecretsServer.StartAsync(file: null, TimeProvider.System);
        if (secret is not null)
            secrets.Vault.Put("root", secret, create: true);
        var environment = new[] { "TENANTS_TABLE", "EXECUTIONS_TABLE", "QUOTAS_TABLE", "INSTANCES_TABLE", "DISPATCH_QUEUE_URL", "NOTIFICATIONS_QUEUE_URL" }.ToDictionary(name => name, name => (string?)(name.EndsWith("_QUEUE_URL", StringComparison.Ordinal) ? "https://sqs.us-east-1.amazonaws.com/123456789012/x" : "x"));
        (environment["TOKEN_ROOT_SECRET_ID"], environment["_HANDLER"], environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"]) = (
            "root", handler, secrets.Endpoint.ToString());
        (environment["CONTROL_PLANE_URL"], environment["OUTCOMES_URL"]) = ("https://api.example.com", "https://api.example.internal/outcomes/execution");
        if (missing.Length > 0)
            environment[missing] = null;
        if (other is { } set)
            environment[set.Name] = set.Value;
        return await FailedStart.OfAsync("Orchestrator", environment, TestContext.Current.CancellationToken);
    }
}
