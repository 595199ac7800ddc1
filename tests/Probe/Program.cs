using System.Globalization;
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
    _ => throw new InvalidOperationException($"_HANDLER names no function: {handler}"),
}));

static Task<Stream> Text(string text) => Task.FromResult<Stream>(new MemoryStream(Encoding.UTF8.GetBytes(text)));

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
