using System.Diagnostics;
using System.Net.Sockets;
using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.AwsCompat;

/// <summary>The secrets client against somebody else's idea of the service: moto's server.</summary>
public sealed class MotoTests
{
    [Fact]
    public async Task A_secret_is_made_rotated_and_read_by_its_stages()
    {
        var port = LoopbackServer.FreePort();
        using var moto = StartMoto(port);
        try
        {
            await PortOpensAsync(port);
            using var secrets = SecretsManagerTests.Client($"127.0.0.1:{port}");
            await RotateAsync(secrets);
        }
        finally
        {
            moto.Kill(entireProcessTree: true);
            await moto.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static async Task RotateAsync(IAmazonSecretsManager secrets)
    {
        var cancel = TestContext.Current.CancellationToken;
        var first = await secrets.CreateSecretAsync(new() { Name = "slack", SecretString = "one" }, cancel);
        var second = await secrets.PutSecretValueAsync(new() { SecretId = "slack", SecretString = "two" }, cancel);

        var current = await secrets.GetSecretValueAsync(new() { SecretId = first.ARN }, cancel);
        var previous = await secrets.GetSecretValueAsync(new() { SecretId = "slack", VersionStage = "AWSPREVIOUS" }, cancel);
        Assert.Equal(("two", second.VersionId), (current.SecretString, current.VersionId));
        Assert.Equal(("one", first.VersionId), (previous.SecretString, previous.VersionId));
        Assert.Equal(["AWSCURRENT"], current.VersionStages!);
        Assert.InRange(
            current.CreatedDate!.Value, TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-2), TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(2));

        await Assert.ThrowsAsync<ResourceNotFoundException>(() => secrets.GetSecretValueAsync(new() { SecretId = "nobody" }, cancel));
        await Assert.ThrowsAsync<ResourceExistsException>(() => secrets.CreateSecretAsync(new() { Name = "slack", SecretString = "three" }, cancel));
    }

    private static Process StartMoto(int port)
    {
        try
        {
            return Process.Start(
                new ProcessStartInfo("moto_server", ["-H", "127.0.0.1", "-p", $"{port}"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("moto_server is not installed (pip install 'moto[server]')");
            throw;
        }
    }

    private static async Task PortOpensAsync(int port)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                using var socket = new TcpClient();
                await socket.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
                return;
            }
            catch (SocketException) when (attempt < 150)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), TestContext.Current.CancellationToken);
            }
        }
    }
}
