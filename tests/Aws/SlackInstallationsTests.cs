using Amazon.DynamoDBv2.Model;
using ControlPlane.Aws;
using ControlPlane.Slack;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Aws;

/// <summary>What a write on a ticket asks of the ticket that is there, whatever its caller read before.</summary>
public class SlackInstallationsTests(LocalCloud cloud)
{
    private static readonly TenantId One = TenantId.Parse("tenant-1"), Two = TenantId.Parse("tenant-2");

    private readonly SetClock _clock = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ticket_is_withdrawn_by_its_tenant_alone_and_not_after_its_use()
    {
        var (installations, ticket, auditor) = await StartAsync();
        Assert.Equal(ChangeResult.NothingThere, await installations.WithdrawAsync(Two, ticket.Hash, auditor, Cancel));
        Assert.IsType<Installed.Now>(await CompleteAsync(installations, ticket, auditor));
        Assert.Equal(ChangeResult.NothingThere, await installations.WithdrawAsync(One, ticket.Hash, auditor, Cancel));
        Assert.NotNull((await installations.FindTicketAsync(ticket.Hash, Cancel))!.UsedAt);
    }

    [Fact]
    public async Task A_ticket_is_good_for_its_tenant_once_and_in_its_time()
    {
        var (installations, ticket, auditor) = await StartAsync();
        Assert.IsType<Installed.TicketGone>(await CompleteAsync(installations, ticket with { Tenant = Two }, auditor));
        _clock.Advance(InstallTicket.Lifetime);
        Assert.IsType<Installed.TicketGone>(await CompleteAsync(installations, ticket, auditor));
        _clock.Advance(-TimeSpan.FromSeconds(1));
        Assert.IsType<Installed.Now>(await CompleteAsync(installations, ticket, auditor));
        Assert.IsType<Installed.TicketGone>(await CompleteAsync(installations, ticket, auditor));
    }

    [Fact]
    public async Task A_ticket_never_takes_the_place_of_another()
    {
        var (installations, ticket, auditor) = await StartAsync();
        await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => installations.AddAsync(ticket with { Tenant = Two }, auditor, Cancel));
        Assert.Equal(One, (await installations.FindTicketAsync(ticket.Hash, Cancel))!.Tenant);
    }

    private static Task<Installed> CompleteAsync(SlackInstallations installations, InstallTicket ticket, Auditor auditor) =>
        installations.CompleteAsync(ticket, new(TeamId.Parse("T1"), [1]), UserId.Parse("U1"), UserId.Parse("U2"), auditor, Cancel);

    private async Task<(SlackInstallations Installations, InstallTicket Ticket, Auditor Auditor)> StartAsync()
    {
        var tables = await cloud.TablesAsync();
        var registry = new TenantRegistry(tables.Client, tables.Tenants);
        foreach (var tenant in new[] { One, Two })
        {
            Assert.True(EngineAddress.TryParse($"10.{99 + tenant.Number}.128.10", tenant, allowPublicSubnet: false, out var engine));
            Assert.True(await registry.TryRegisterAsync(new Tenant(tenant, "Acme", TenantStatus.Active, engine, false, TenantLimits.Default), Cancel));
        }
        var installations = new SlackInstallations(tables.Client, tables.Tenants, _clock);
        var ticket = new InstallTicket(new('a', 64), One, _clock.GetUtcNow(), _clock.GetUtcNow() + InstallTicket.Lifetime);
        await installations.AddAsync(ticket, tables.Auditor, Cancel);
        return (installations, ticket, tables.Auditor);
    }
}
