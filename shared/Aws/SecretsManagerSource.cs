using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;
using ControlPlane.Aws.Logs;
using ControlPlane.Secrets;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Aws;

/// <summary>Secrets as Secrets Manager keeps them.</summary>
public sealed partial class SecretsManagerSource(IAmazonSecretsManager secrets) : ISecretSource
{
    /// <summary>A secret that a function needs, read before its first event: one that is missing, empty or malformed stops the start, unless the value before
    /// it can be read.</summary>
    /// <param name="parse">Throws <see cref="FormatException"/> for a value that is no such secret.</param>
    public static async Task<RotatingSecret<T>> OpenAsync<T>(string secretId, Func<string, T> parse, TimeSpan overlap, TimeProvider clock)
    {
        var client = new AmazonSecretsManagerClient(new AmazonSecretsManagerConfig { Timeout = TimeSpan.FromSeconds(1), MaxErrorRetry = 1 });
        var secret = Watched(new SecretsManagerSource(client), secretId, parse, overlap, JsonLog.ToStandardOutput(clock), clock);
        await secret.GetAsync(CancellationToken.None);
        return secret;
    }

    /// <summary>A secret whose current value rings when it cannot be read: the one before it serves only until it is forgotten.</summary>
    public static RotatingSecret<T> Watched<T>(
        ISecretSource source, string secretId, Func<string, T> parse, TimeSpan overlap, JsonLog log, TimeProvider clock)
    {
        var metrics = new Metrics(log, clock);
        return new(source, secretId, parse, overlap, clock, noticeMalformed: () =>
        {
            LogMalformed(log, secretId);
            metrics.Count(MetricCatalogue.SecretsMalformed);
        });
    }

    public async Task<StoredSecret?> ReadAsync(string secretId, string stage, CancellationToken cancel)
    {
        try
        {
            var answer = await secrets.GetSecretValueAsync(new GetSecretValueRequest { SecretId = secretId, VersionStage = stage }, cancel);
            var created = answer.CreatedDate ?? throw new FormatException($"The secret {secretId} does not say when it was created.");
            return new(answer.VersionId, answer.SecretString ?? throw new FormatException($"The secret {secretId} is binary."), created.ToUniversalTime());
        }
        catch (ResourceNotFoundException) when (stage == "AWSPREVIOUS")
        {
            return null;
        }
    }

    [LoggerMessage(EventId = 90, EventName = "secret_malformed", Level = LogLevel.Error,
        Message = "The current value of {SecretId} cannot be read; the one before it serves. ./ctl secret rotate mends it")]
    private static partial void LogMalformed(ILogger log, string secretId);
}
