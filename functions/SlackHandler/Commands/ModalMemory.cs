using System.Globalization;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>What a modal remembers of the command that opened it, until it is submitted: Slack keeps it as <c>private_metadata</c>.</summary>
/// <param name="SentAt">When Slack sent the command: its reply address ages from then.</param>
/// <param name="ReplyUrl">Where its answers go; empty where the command came with none.</param>
/// <remarks>It says where, never who: whose modal it is, Slack says. It is encrypted, for the reply address is a secret, and bound to the workspace and the
/// user, so that it means nothing in another's modal.</remarks>
internal sealed record ModalMemory(string Workflow, ChannelId ChannelId, string CommandName, bool IsPublic, DateTimeOffset SentAt, string ReplyUrl)
{
    public override string ToString() => $"ModalMemory of {Workflow}";
}

/// <summary>Seals what modals remember, under the key of reply addresses.</summary>
internal sealed class ModalSeal(RotatingSecret<SlackSecret> secret)
{
    // What Slack takes: https://docs.slack.dev/reference/views/modal-views
    private const int LongestMetadata = 3000;

    /// <returns>Null where Slack would not take it.</returns>
    public async ValueTask<string?> CloseAsync(ModalMemory memory, TeamId teamId, UserId userId, CancellationToken cancel)
    {
        var text = string.Join('\n', memory.Workflow, memory.ChannelId.ToString(), memory.CommandName, memory.IsPublic ? "public" : "private",
            memory.SentAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), memory.ReplyUrl);
        var closed = Convert.ToBase64String(Seal.Close((await secret.GetAsync(cancel)).Current.Value.ReplyKey, text, Purpose(teamId, userId)));
        return closed.Length <= LongestMetadata ? closed : null;
    }

    /// <returns>Null when it is not one of ours, or belongs to somebody else's modal.</returns>
    public async ValueTask<ModalMemory?> OpenAsync(string metadata, TeamId teamId, UserId userId, CancellationToken cancel)
    {
        if (ControlPlane.Text.StrictBase64.Decode(metadata) is not { } closed)
            return null;
        var text = await secret.TryAsync(versions => Open(closed, versions, Purpose(teamId, userId)), cancel);
        return text?.Split('\n') is [var workflow, var channel, var name, var shown, var second, var url]
            && ChannelId.TryParse(channel, out var channelId) && SlackCommand.IsName(name)
            && long.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var sentAt)
            ? new(workflow, channelId, name, shown == "public", DateTimeOffset.FromUnixTimeSeconds(sentAt), url)
            : null;
    }

    private static string? Open(byte[] closed, SecretVersions<SlackSecret> secrets, string purpose) =>
        Seal.Open(closed, secrets.All.Select(version => version.Value.ReplyKey), purpose);

    private static string Purpose(TeamId teamId, UserId userId) => $"modal|{teamId}|{userId}";
}
