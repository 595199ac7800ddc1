using ControlPlane.Executions;
using ControlPlane.Secrets;
using ControlPlane.Slack;

namespace ControlPlane.SlackHandler.Replies;

/// <summary>Encrypts reply addresses for the table, tied to the execution they belong to.</summary>
internal sealed class ReplySeal(RotatingSecret<SlackSecret> secret)
{
    public async ValueTask<byte[]> SealAsync(ReplyUrl url, ExecutionId execution, CancellationToken cancel) =>
        Seal.Close((await secret.GetAsync(cancel)).Current.Value.ReplyKey, url.Url.AbsoluteUri, Purpose(execution));

    /// <returns>Null when no key fits, or what was sealed may not be posted to.</returns>
    public async ValueTask<ReplyUrl?> OpenAsync(byte[] seal, ExecutionId execution, CancellationToken cancel)
    {
        var text = await secret.TryAsync(versions => Open(seal, execution, versions), cancel);
        return ReplyUrl.TryParse(text, out var url) ? url : null;
    }

    private static string? Open(byte[] seal, ExecutionId execution, SecretVersions<SlackSecret> secrets) =>
        Seal.Open(seal, secrets.All.Select(version => version.Value.ReplyKey), Purpose(execution));

    // An address copied to another execution's item does not open there.
    private static string Purpose(ExecutionId execution) => $"response_url|{execution}";
}
