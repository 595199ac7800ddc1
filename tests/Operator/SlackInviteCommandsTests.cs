using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ControlPlane.Aws;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

/// <summary>Links to install the app with, and the key that what came of them is encrypted with.</summary>
public sealed class SlackInviteCommandsTests(LocalCloud cloud) : IClassFixture<LocalCloud>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_link_is_shown_once_listed_without_its_ticket_and_can_be_taken_back()
    {
        await using var ctl = await StartAsync();
        var made = await ctl.DoAsync("slack invite tenant-7");
        var link = new Uri(made.Output.Trim());
        Assert.Equal("https://api.example.com/slack/install/", link.AbsoluteUri[..^22]);
        Assert.True(OneTimeCode.TryParse(link.AbsoluteUri[^22..], out var code));
        Assert.Contains("until 2026-11-12T10:00:00.000Z", made.Error, StringComparison.Ordinal);

        var kept = Assert.Single(await Installations(ctl).TicketsOfAsync(OperatorFixture.Seven, Cancel));
        Assert.Equal((code.Hash, ctl.Clock.Now + TimeSpan.FromDays(7)), (kept.Hash, kept.ExpiresAt));
        var listed = await ctl.DoAsync("slack invites tenant-7");
        Assert.Contains("open", listed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(code.Text, listed.Output + listed.Error, StringComparison.Ordinal);

        var id = code.Hash[..12];
        await ctl.DoAsync($"slack revoke tenant-7 {id}");
        Assert.Null(await Installations(ctl).FindTicketAsync(code.Hash, Cancel));
        (await ctl.SayAsync($"slack revoke tenant-7 {id}")).Refuses(1, "no open invitation", "./ctl slack invites tenant-7");
    }

    [Fact]
    public async Task A_used_link_is_not_taken_back_and_an_old_one_says_that_it_is()
    {
        await using var ctl = await StartAsync();
        await ctl.DoAsync("slack invite tenant-7");
        var ticket = Assert.Single(await Installations(ctl).TicketsOfAsync(OperatorFixture.Seven, Cancel));
        Assert.IsType<Installed.Now>(await Installations(ctl).CompleteAsync(
            ticket, new(TeamId.Parse("T0099"), [1]), UserId.Parse("UBOT"), UserId.Parse("U1"), ctl.Tables.Auditor, Cancel));
        (await ctl.SayAsync($"slack revoke tenant-7 {ticket.Hash[..12]}")).Refuses(1, "./ctl slack unlink");
        await ctl.DoAsync("slack invite tenant-7");
        ctl.Clock.Advance(TimeSpan.FromDays(7));
        var invitations = (await ctl.DoAsync("slack invites tenant-7 --output json")).Json.GetProperty("invitations");
        Assert.Equal(["expired", "used"], invitations.EnumerateArray().Select(one => one.GetProperty("state").GetString()!).Order());
        Assert.Equal("T0099", invitations.EnumerateArray().Single(one => one.GetProperty("state").GetString() == "used").GetProperty("used_by").GetString());
    }

    [Fact]
    public async Task Nobody_is_invited_for_a_tenant_that_is_not_there()
    {
        await using var ctl = await StartAsync();
        (await ctl.SayAsync("slack invite tenant-8")).Refuses(1, "tenant-8");
        (await ctl.SayAsync("slack invite tenant-7 --url http://api.example.com")).Refuses(2, "https://api.example.com");
        await ctl.DoAsync("tenant remove tenant-7");
        (await ctl.SayAsync("slack invite tenant-7")).Refuses(1, "tenant-7");
        Assert.Empty(await Installations(ctl).TicketsOfAsync(OperatorFixture.Seven, Cancel));
    }

    [Fact]
    public async Task A_workspaces_end_and_a_tenants_end_take_the_token_along()
    {
        await using var ctl = await StartAsync();
        foreach (var (line, workspace) in new[] { ("slack unlink tenant-7 T0098", "T0098"), ("tenant remove tenant-7", "T0099") })
        {
            await InstallAsync(ctl, workspace, [1, 2, 3]);
            await ctl.DoAsync(line);
            Assert.Null(await Installations(ctl).FindTokenAsync(OperatorFixture.Seven, TeamId.Parse(workspace), null, Cancel));
        }
    }

    [Fact]
    public async Task Registering_a_tenant_again_and_linking_by_hand_leave_its_token()
    {
        await using var ctl = await StartAsync();
        await InstallAsync(ctl, "T0007", [1, 2, 3]);
        await ctl.SayAsync("tenant register tenant-7 --name Acme --slack-team T0007 --engine 10.106.128.10:5678");
        await ctl.DoAsync("slack link tenant-7 T0007");
        Assert.NotNull(await Installations(ctl).FindTokenAsync(OperatorFixture.Seven, TeamId.Parse("T0007"), null, Cancel));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" --leaked")]
    public async Task Tokens_are_encrypted_anew_after_their_key_was_rotated(string leaked)
    {
        await using var ctl = await StartAsync();
        ctl.Secrets.Put("SlackSecret", SlackText(new byte[32]), create: true);
        await InstallAsync(ctl, "T0007", Seal.Close(new byte[32], "xoxb-1", SealedToken.PurposeOf(TeamId.Parse("T0007"))));
        await InstallAsync(ctl, "T0008", Seal.Close(Enumerable.Repeat((byte)5, 32).ToArray(), "xoxb-2", SealedToken.PurposeOf(TeamId.Parse("T0008"))));
        await ctl.DoAsync($"secret rotate bot-token-key{leaked}");

        var said = await ctl.DoAsync("slack reseal --output json");
        Assert.Equal((1, 0), (said.Json.GetProperty("anew").GetInt32(), said.Json.GetProperty("as_they_were").GetInt32()));
        Assert.Contains("T0008", said.Error, StringComparison.Ordinal);
        ctl.Clock.Advance(SlackSecret.Overlap);
        var key = SlackSecret.Parse(ctl.Secrets.Get("SlackSecret", null, null).Text).TokenKey!;
        var kept = (await Installations(ctl).FindTokenAsync(OperatorFixture.Seven, TeamId.Parse("T0007"), null, Cancel))!;
        Assert.Equal("xoxb-1", Seal.Open(kept.Sealed, [key], SealedToken.PurposeOf(TeamId.Parse("T0007"))));
        Assert.Equal(1, (await ctl.DoAsync("slack reseal --output json")).Json.GetProperty("as_they_were").GetInt32());
    }

    [Fact]
    public async Task An_app_that_was_linked_by_hand_gets_its_credentials_one_by_one()
    {
        await using var ctl = await StartAsync();
        var text = JsonNode.Parse(SlackText([]))!.AsObject();
        text.Remove("bot_token_key");
        ctl.Secrets.Put("SlackSecret", text.ToJsonString(), create: true);
        foreach (var (part, value) in new[] { ("client-id", "12.34"), ("client-secret", "hush") })
        {
            var file = Path.GetTempFileName();
            await File.WriteAllTextAsync(file, value + "\n", Cancel);
            await ctl.DoAsync($"secret rotate {part} --from {file}");
            File.Delete(file);
        }
        await ctl.DoAsync("secret rotate bot-token-key");
        var read = SlackSecret.Parse(ctl.Secrets.Get("SlackSecret", null, null).Text);
        Assert.Equal((new SlackClient("12.34", "hush"), 32), (read.Client, read.TokenKey?.Length));
    }

    private async Task<OperatorFixture> StartAsync()
    {
        var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        return ctl;
    }

    private static SlackInstallations Installations(OperatorFixture ctl) => new(ctl.Tables.Client, ctl.Tables.Tenants, ctl.Clock);

    private static async Task InstallAsync(OperatorFixture ctl, string workspace, byte[] seal)
    {
        var ticket = new InstallTicket(RandomNumberGenerator.GetHexString(64), OperatorFixture.Seven, ctl.Clock.Now, ctl.Clock.Now + InstallTicket.Lifetime);
        await Installations(ctl).AddAsync(ticket, ctl.Tables.Auditor, Cancel);
        Assert.IsType<Installed.Now>(await Installations(ctl).CompleteAsync(
            ticket, new(TeamId.Parse(workspace), seal), UserId.Parse("UBOT"), UserId.Parse("U1"), ctl.Tables.Auditor, Cancel));
    }

    private static string SlackText(byte[] key) => new JsonObject
    {
        ["signing_secret"] = "s",
        ["response_url_key"] = Convert.ToBase64String(new byte[32]),
        ["origin_verify"] = "edge",
        ["bot_token_key"] = Convert.ToBase64String(key),
    }.ToJsonString();
}
