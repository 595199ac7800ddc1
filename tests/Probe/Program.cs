using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Amazon.Lambda.Core;
using Amazon.Lambda.RuntimeSupport;
using Amazon.SecretsManager;
using ControlPlane.Aws;

return await LambdaProgram.RunAsync(handler => Task.FromResult(handler switch
{
    "echo" => LambdaBootstrapBuilder.Create((Stream body, ILambdaContext _) => Task.FromResult(body)),
    "secret" => LambdaBootstrapBuilder.Create(new SecretReader(new AmazonSecretsManagerClient()).ReadAsync),
    "memory" => LambdaBootstrapBuilder.Create((Stream _) => Text(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes.ToString(CultureInfo.InvariantCulture))),
    "authorities" => LambdaBootstrapBuilder.Create((Stream _) => Text(KnownAuthorities().ToString(CultureInfo.InvariantCulture))),
    _ => throw new InvalidOperationException($"_HANDLER names no function: {handler}"),
}));

static Task<Stream> Text(string text) => Task.FromResult<Stream>(new MemoryStream(Encoding.UTF8.GetBytes(text)));

// Those that the system has, as they are read before a first connection.
static int KnownAuthorities()
{
    using var system = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
    return system.Certificates.Count;
}

internal sealed class SecretReader(IAmazonSecretsManager secrets)
{
    /// <summary>Reads the secret whose name the event is.</summary>
    public async Task<Stream> ReadAsync(Stream body, ILambdaContext context)
    {
        using var reader = new StreamReader(body);
        var secret = await secrets.GetSecretValueAsync(new() { SecretId = await reader.ReadToEndAsync() });
        return new MemoryStream(Encoding.UTF8.GetBytes(secret.SecretString!));
    }
}
