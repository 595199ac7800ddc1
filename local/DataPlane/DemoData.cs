using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ControlPlane.Aws;
using ControlPlane.Local.Secrets;
using ControlPlane.Local.SmallSlack;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tenants;

namespace ControlPlane.Local.DataPlane;

/// <summary>The tenant, workspace, workflow and keys that every example names.</summary>
internal static class DemoData
{
    public const string Workspace = "T0001", User = "U0001", Channel = "C0001", Instance = "i-0abc1234def567890";

    /// <summary>By which the small Slack knows the app.</summary>
    public const string ClientId = "1111111111.1111111111111";

    /// <summary>The secret of Slack's own published example.</summary>
    public const string SigningSecret = "8f742231b10e8888abcd99yyyzzz85a5";

    public static TenantId Tenant { get; } = TenantId.Parse("tenant-43");

    public static WorkflowName Workflow { get; } = WorkflowName.Parse("wf_sched");

    public static EngineAddress Engine { get; } = EngineAddress.TryParse("10.142.1.10", Tenant, allowPublicSubnet: true, out var engine)
        ? engine
        : throw new InvalidOperationException();

    /// <summary>RFC 8032 §7.1, test 1: published, so good for nothing but examples.</summary>
    public static byte[] SidecarSeed { get; } = Convert.FromHexString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");

    public static byte[] SidecarPublicKey { get; } = Convert.FromHexString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

    public static KeyId SidecarKeyId { get; } = KeyId.Parse("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");

    /// <summary>Writes it once; what a restart finds stays as it was left. The tenant comes last: that it is there says that all is.</summary>
    /// <returns>Whether it was written now.</returns>
    public static async Task<bool> WriteAsync(TenantRegistry registry, TimeProvider clock, CancellationToken cancel)
    {
        if (await registry.FindAsync(Tenant, cancel) is not null)
            return false;
        await registry.SaveAsync(
            Tenant,
            new Tenants.Workflow(
                Workflow, WebhookPath.Of(Workflow),
                [new("city", ParameterType.String, MaxLength: 100, Description: "Where to look.")],
                Tenants.Workflow.DefaultDeadline, Idempotent: false, Enabled: true, AllowedUsers: [], AllowedGroups: [], AllowedChannels: []),
            cancel);
        await registry.TryLinkAsync(new(TeamId.Parse(Workspace), Tenant), cancel);
        await registry.TryAddAsync(new(SidecarKeyId, Tenant, Instance: null, SidecarPublicKey, clock.GetUtcNow(), NotAfter: null, RevokedAt: null), cancel);
        await registry.TryRegisterAsync(new(Tenant, "Demo tenant", TenantStatus.Active, Engine, AllowPublicSubnet: true, TenantLimits.Default), cancel);
        return true;
    }

    /// <summary>Gives the demo's workspace its bot, as an installation by a link would.</summary>
    /// <param name="slackSecret">The text of the Slack secret.</param>
    public static async Task InstallAsync(
        SlackInstallations installations, string slackSecret, Auditor auditor, TimeProvider clock, CancellationToken cancel)
    {
        var workspace = TeamId.Parse(Workspace);
        if (SlackSecret.Parse(slackSecret) is not { TokenKey: { } key, Client: not null })
            return;
        var token = SlackApp.Of(slackSecret, new("http://127.0.0.1")).TokenOf(Workspace);
        var now = clock.GetUtcNow();
        var ticket = new InstallTicket(OneTimeCode.Make().Hash, Tenant, now, now + InstallTicket.Lifetime);
        await installations.AddAsync(ticket, auditor, cancel);
        await installations.CompleteAsync(
            ticket, new(workspace, Seal.Close(key, token, SealedToken.PurposeOf(workspace))), UserId.Parse($"UBOT{Workspace}"), UserId.Parse("UADMIN"), auditor,
            cancel);
    }

    /// <param name="signingSecret">What Slack signs with.</param>
    public static void WriteSecrets(SecretVault vault, string slackSecret, string tokenRootSecret, string signingSecret)
    {
        if (vault.VersionsOf(slackSecret).Count == 0)
            vault.Put(slackSecret, new JsonObject
            {
                ["signing_secret"] = signingSecret,
                ["response_url_key"] = RandomText(),
                ["origin_verify"] = RandomText(),
                ["client_id"] = ClientId,
                ["client_secret"] = RandomText(),
                ["bot_token_key"] = RandomText(),
            }.ToJsonString(), create: true);
        if (vault.VersionsOf(tokenRootSecret).Count == 0)
            vault.Put(tokenRootSecret, new JsonObject { ["root"] = RandomText() }.ToJsonString(), create: true);
    }

    private static string RandomText() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
}
