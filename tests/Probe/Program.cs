using Amazon.Lambda.Core;
using Amazon.Lambda.RuntimeSupport;
using Amazon.SecretsManager;

LambdaBootstrapBuilder lambda;
try
{
    lambda = Compose(Environment.GetEnvironmentVariable("_HANDLER"));
}
catch (Exception initError)
{
    // A bootstrap that serves nothing: its initializer hands the error to Lambda's /init/error.
    lambda = LambdaBootstrapBuilder.Create(() => Task.CompletedTask).UseBootstrapHandler(() => Task.FromException<bool>(initError));
}

try
{
    using var bootstrap = lambda.Build();
    await bootstrap.RunAsync();
    return 0;
}
catch (Exception)
{
    return 1;
}

static LambdaBootstrapBuilder Compose(string? handler) => handler switch
{
    "echo" => LambdaBootstrapBuilder.Create((Stream body, ILambdaContext _) => Task.FromResult(body)),
    "secret" => LambdaBootstrapBuilder.Create(new SecretReader(new AmazonSecretsManagerClient()).ReadAsync),
    _ => throw new InvalidOperationException($"_HANDLER names no function: {handler}"),
};

internal sealed class SecretReader(IAmazonSecretsManager secrets)
{
    /// <summary>Reads the secret whose name the event is.</summary>
    public async Task<Stream> ReadAsync(Stream body, ILambdaContext context)
    {
        using var reader = new StreamReader(body);
        var secret = await secrets.GetSecretValueAsync(new() { SecretId = await reader.ReadToEndAsync() });
        return new MemoryStream(System.Text.Encoding.UTF8.GetBytes(secret.SecretString!));
    }
}
