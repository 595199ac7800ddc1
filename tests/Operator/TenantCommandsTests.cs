using ControlPlane.Aws;
using ControlPlane.Executions;
using ControlPlane.Tenants;
using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Operator;

public sealed class TenantCommandsTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenants_account_and_engine_role_are_kept_and_shown()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        (await ctl.SayAsync("tenant account tenant-7 --account 222222222222 --engine-role engine-host")).Refuses(1, "not registered");
        await ctl.RegisterAsync();
        await ctl.DoAsync("tenant account tenant-7 --account 222222222222 --engine-role engine-host");

        Assert.Equal(new("222222222222", "engine-host"), (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Aws);
        Assert.Contains("222222222222", (await ctl.DoAsync("tenant show tenant-7")).Output, StringComparison.Ordinal);
        (await ctl.SayAsync("tenant account tenant-7 --account 22222222222 --engine-role engine-host")).Refuses(2, "twelve digits");
        (await ctl.SayAsync("tenant account tenant-7 --account 222222222222 --engine-role path/engine-host")).Refuses(2, "without its path");
    }

    [Fact]
    public async Task A_tenants_channel_is_kept_with_its_workspace_shown_and_taken_away()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        (await ctl.SayAsync("tenant channel tenant-7 C0042")).Refuses(1, "not registered");
        await ctl.RegisterAsync();

        await ctl.DoAsync("tenant channel tenant-7 C0042");
        Assert.Equal(new(TeamId.Parse("T0007"), ChannelId.Parse("C0042")), (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Channel);
        Assert.Contains("T0007/C0042", (await ctl.DoAsync("tenant show tenant-7")).Output, StringComparison.Ordinal);
        (await ctl.SayAsync("tenant channel tenant-7 U0042")).Refuses(1, "is a user");
        (await ctl.SayAsync("tenant channel tenant-7 #general")).Refuses(1, "no channel");
        (await ctl.SayAsync("tenant channel tenant-7 T0008/C0042")).Refuses(1, "does not speak for");

        await ctl.DoAsync("tenant channel tenant-7 none");
        Assert.Null((await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Channel);
        Assert.Contains("as it was", (await ctl.DoAsync("tenant channel tenant-7 none")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tenant_is_registered_with_its_workspace_and_limits()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        var said = await ctl.DoAsync(
            "tenant register tenant-7 --name Acme --slack-team T0007 --engine 10.106.128.10:5678 --monthly-quota 500 --concurrency 4 --monthly-gpu 1h30m");

        var tenant = await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel);
        Assert.Equal(("Acme", TenantStatus.Active, "10.106.128.10", false), (tenant!.Name, tenant.Status, tenant.Engine.ToString(), tenant.AllowPublicSubnet));
        Assert.Equal(new TenantLimits(500, 4, 5_400_000), tenant.Limits);
        Assert.Equal(OperatorFixture.Seven, await ctl.Registry.OfSlackAsync(TeamId.Parse("T0007"), Cancel));
        Assert.Contains("10.106.0.0/16", said.Output, StringComparison.Ordinal);
        Assert.Equal("", said.Error);
    }

    [Fact]
    public async Task Without_limits_a_tenant_gets_the_documented_ones()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        Assert.Equal(TenantLimits.Default, (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Limits);
    }

    [Fact]
    public async Task The_same_registration_again_is_a_success_that_says_so()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("tenant limits tenant-7 --monthly-quota 5");

        Assert.Contains("was registered so before", (await ctl.RegisterAsync()).Output, StringComparison.Ordinal);
        Assert.Equal(5, (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Limits.MonthlyQuota);
    }

    [Fact]
    public async Task A_registration_that_lost_its_workspace_is_healed_by_the_same_again()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("slack unlink tenant-7 T0007");

        Assert.Contains("now its workspace speaks for it too", (await ctl.RegisterAsync()).Output, StringComparison.Ordinal);
        Assert.Equal(OperatorFixture.Seven, await ctl.Registry.OfSlackAsync(TeamId.Parse("T0007"), Cancel));
    }

    [Fact]
    public async Task A_workspace_left_over_from_an_earlier_registration_is_no_hindrance()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.Tables.Client.DeleteItemAsync(ctl.Tables.Tenants, Items.Key("tenant-7", "PROFILE"), Cancel);
        await ctl.RegisterAsync();
        Assert.NotNull(await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel));
    }

    [Fact]
    public async Task On_this_machine_registering_says_whose_engine_it_is_and_how_another_is_named()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        Assert.Contains("./run --engine tenant-7=127.0.0.1:5678", (await ctl.RegisterAsync()).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_several_tenants_registered_at_once_for_one_workspace_one_gets_it_and_the_others_nothing()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        var said = await Task.WhenAll(
            Enumerable.Range(1, 8).Select(n => ctl.SayAsync($"tenant register tenant-{n} --name Acme --slack-team T0007 --engine 10.{99 + n}.128.10")));

        var winner = Assert.Single(await ctl.Registry.AllAsync(Cancel));
        Assert.Equal(winner.Id, await ctl.Registry.OfSlackAsync(TeamId.Parse("T0007"), Cancel));
        Assert.Equal([0, 1, 1, 1, 1, 1, 1, 1], said.Select(one => one.Exit).Order());
        Assert.All(said.Where(one => one.Exit == 1), one => one.Refuses(1, $"T0007 speaks for {winner.Id}"));
    }

    [Fact]
    public async Task The_same_tenant_registered_several_times_at_once_is_registered_once()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        var said = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => ctl.SayAsync("tenant register tenant-7 --name Acme --slack-team T0007 --engine 10.106.128.10 --output json")));
        Assert.All(said, one => Assert.Equal(0, one.Exit));
        Assert.Single(said, one => one.Json.GetProperty("result").GetString() == "registered");
    }

    [Theory]
    [InlineData("--name Other --engine 10.106.128.10:5678", "with the name Acme", "./ctl tenant rename")]
    [InlineData("--name Acme --engine 10.106.128.11:5678", "with the engine 10.106.128.10:5678", "./ctl tenant engine")]
    [InlineData("--name Acme --engine 10.106.128.10:5678 --concurrency 9", "with other limits", "./ctl tenant limits")]
    [InlineData("--name Acme --engine 10.106.128.10:5678 --monthly-gpu 1h", "with other limits", "./ctl tenant limits")]
    public async Task A_registration_with_other_values_changes_nothing_and_names_the_command_that_does(string values, string stored, string mend)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        var before = await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel);

        (await ctl.SayAsync($"tenant register tenant-7 {values}")).Refuses(1, "tenant-7 is registered already", stored, mend);
        Assert.Equal(before, await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel));
    }

    [Fact]
    public async Task A_workspace_that_speaks_for_another_tenant_keeps_the_new_one_out()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();

        (await ctl.SayAsync("tenant register tenant-8 --name Other --slack-team T0007 --engine 10.107.128.10:5678"))
            .Refuses(1, "T0007 speaks for tenant-7", "./ctl slack unlink tenant-7 T0007");
        Assert.Null(await ctl.Registry.FindAsync(TenantId.Parse("tenant-8"), Cancel));
    }

    [Theory]
    [InlineData("tenant-0"), InlineData("tenant-157"), InlineData("tenant-256"), InlineData("tenant-4294967297"), InlineData("tenant--1"),
        InlineData("tenant-01")]
    [InlineData("tenant-1.0"), InlineData("tenant-1e2"), InlineData("tenant-+1"), InlineData("tenant-٣"), InlineData("tenant-３"), InlineData("Tenant-1"),
        InlineData("tenant-1 ")]
    [InlineData("tenant-1\n"), InlineData("tenant-1\0"), InlineData("tenant-1\u200b"), InlineData("ten\u0430nt-1"), InlineData("")]
    public async Task A_number_outside_1_to_156_is_no_tenant(string id)
    {
        (await OperatorFixture.SayAsync(TimeProvider.System, "tenant", "register", id, "--name", "Acme", "--engine", "10.106.128.10:5678"))
            .Refuses(2, "is no tenant", "1 to 156");
    }

    [Theory]
    [InlineData("tenant-1", "10.100.128.10", "10.100.0.0/16")]
    [InlineData("tenant-2", "10.101.128.10", "10.101.0.0/16")]
    [InlineData("tenant-155", "10.254.128.10", "10.254.0.0/16")]
    [InlineData("tenant-156", "10.255.128.10", "10.255.0.0/16")]
    public async Task The_number_decides_the_network(string id, string engine, string cidr)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        var said = await ctl.DoAsync($"tenant register {id} --name Acme --engine {engine}:5678 --cidr {cidr} --output json");
        Assert.Equal(cidr, said.Json.GetProperty("tenant").GetProperty("cidr").GetString());
        (await ctl.SayAsync($"tenant register {id} --name Acme --engine {engine}:5678 --cidr 10.99.0.0/16")).Refuses(1, cidr, "the number decides");
    }

    [Fact]
    public async Task An_engine_outside_the_tenants_own_subnets_is_refused()
    {
        string[] engines =
        [
            "10.107.128.10:5678", "127.0.0.1:5678", "169.254.169.254:5678", "169.254.170.2:5678", "0.0.0.0:5678",
            "10.99.0.1:5678", "10.0.0.1:5678", "172.16.0.1:5678", "8.8.8.8:5678",
            "10.106.0.10:5678", // public, and not allowed
            "10.106.48.10:5678", "10.106.200.10:5678", // in no subnet
            "10.106.128.0:5678", "10.106.128.3:5678", "10.106.143.255:5678", "10.106.255.255:5678",
            "10.106.32778:5678", "10.6979594:5678", "174751754:5678", "0x0a6a800a:5678", "012.0152.0200.012:5678",
            "10.106.128.10.:5678", "10.106.128.256:5678", "' 10.106.128.10:5678'", "'10.106.128.10\n:5678'",
            "::ffff:10.106.128.10", "[::ffff:10.106.128.10]:5678", "64:ff9b::a9fe:a9fe", "::1", "fe80::1%eth0",
            "engine.tenant-7.internal:5678", "localhost:5678", "http://10.106.128.10:5678", "user@10.106.128.10:5678",
            "10.106.128.10:22", "10.106.128.10:0", "10.106.128.10:65536", "10.106.128.10:05678", "10.106.128.10:",
            "10.106.128.10:5678/x", "10.106.128.10:5678#x", "10.106.128.10:5678?x", "10.106.128.10\\:5678", "''",
        ];
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        foreach (var engine in engines)
            (await ctl.SayAsync($"tenant register tenant-7 --name Acme --engine {engine}"))
                .Refuses(1, $"is refused: tenant-7's engine is", "10.106.128.0/20", "port 5678");
        Assert.Empty(await ctl.Registry.AllAsync(Cancel));
    }

    [Fact]
    public async Task A_public_subnet_is_allowed_when_it_is_said()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.DoAsync("tenant register tenant-43 --name Acme --engine 10.142.1.10:5678 --allow-public-subnet");
        Assert.True((await ctl.Registry.FindAsync(TenantId.Parse("tenant-43"), Cancel))!.AllowPublicSubnet);
    }

    [Fact]
    public async Task The_last_peering_is_given_with_a_warning_and_the_one_after_it_is_refused()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        for (var number = 1; number <= 4; number++)
        {
            var said = await RegisterAsync(number);
            Assert.Equal(number == 4, said.Error.Contains("4 of the hub's 5 peerings are taken", StringComparison.Ordinal));
        }
        Assert.Contains("5 of the hub's 5", (await RegisterAsync(5)).Error, StringComparison.Ordinal);

        (await RegisterAsync(6)).Refuses(1, "5 tenants are registered", "--peering-limit");
        Assert.Equal(0, (await RegisterAsync(5)).Exit);
        (await ctl.SayAsync("tenant register tenant-6 --name Acme --engine 10.105.128.10 --peering-limit 126")).Refuses(2, "1 to 125");

        Task<Said> RegisterAsync(int number) =>
            ctl.SayAsync($"tenant register tenant-{number} --name Acme --slack-team T{number:D4} --engine 10.{99 + number}.128.10:5678 --peering-limit 5");
    }

    [Fact]
    public async Task A_suspended_tenant_is_resumed_and_each_again_says_that_it_was_so()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        Assert.Contains("tenant-7 is suspended", (await ctl.DoAsync("tenant suspend tenant-7")).Output, StringComparison.Ordinal);
        Assert.Equal(TenantStatus.Suspended, (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Status);
        Assert.Contains("tenant-7 is as it was", (await ctl.DoAsync("tenant suspend tenant-7")).Output, StringComparison.Ordinal);
        Assert.Contains("tenant-7 is resumed", (await ctl.DoAsync("tenant resume tenant-7")).Output, StringComparison.Ordinal);
        Assert.Equal(TenantStatus.Active, (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Status);
    }

    [Fact]
    public async Task A_tenant_that_is_being_deleted_does_not_come_back()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.Registry.SaveAsync((await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))! with { Status = TenantStatus.Deleting }, Cancel);
        (await ctl.SayAsync("tenant resume tenant-7")).Refuses(1, "being deleted");
        (await ctl.SayAsync("tenant suspend tenant-7")).Refuses(1, "being deleted");
    }

    [Fact]
    public async Task A_tenant_that_is_removed_has_no_keys_no_workspace_no_catalogue_and_nothing_under_way()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("slack link tenant-7 T0008");
        await ctl.DoAsync("key add tenant-7 --public-key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        await ctl.DoAsync("workflow publish tenant-7 wf_sched");
        await ctl.DoAsync("group set tenant-7 ops --user T0007/U1");
        await ctl.DoAsync("schedule add tenant-7 wf_sched '0 8 * * *'");
        var (open, done) = (await ctl.QueueExecutionAsync("t1"), await ctl.QueueExecutionAsync("t2"));
        await ctl.Executions.FinishAsync(done, new(OutcomeStatus.Succeeded, null, null, null, new(1, 0, 0, 0), null, null), "00", Cancel);

        var removed = (await ctl.DoAsync("tenant remove tenant-7 --output json")).Json;

        Assert.Equal(
            ("removed", 1, 1),
            (removed.GetProperty("result").GetString(), removed.GetProperty("keys_revoked").GetInt32(), removed.GetProperty("executions_closed").GetInt32()));
        Assert.Equal(["T0007", "T0008"], removed.GetProperty("unlinked").EnumerateArray().Select(one => one.GetString()).Order());
        Assert.Equal("2027-02-03T10:00:00.000Z", removed.GetProperty("free_again_at").GetString());
        Assert.All(await ctl.Registry.KeysOfAsync(OperatorFixture.Seven, Cancel), key => Assert.NotNull(key.RevokedAt));
        Assert.Null(await ctl.Registry.OfSlackAsync(TeamId.Parse("T0007"), Cancel));
        var catalogue = (await ctl.Registry.CatalogueAsync(OperatorFixture.Seven, Cancel))!;
        Assert.Empty((await ctl.DoAsync("schedule list tenant-7 --output json")).Json.GetProperty("schedules").EnumerateArray());
        Assert.Equal((TenantStatus.Deleting, 0, 0), (catalogue.Tenant.Status, catalogue.Workflows.Count, catalogue.Groups.Count));
        Assert.Equal(ExecutionState.Cancelled, (await ctl.Executions.FindAsync(open.Id, Cancel))!.State);
        Assert.Equal(ExecutionState.Succeeded, (await ctl.Executions.FindAsync(done.Id, Cancel))!.State);     // its data stays

        var again = (await ctl.DoAsync("tenant remove tenant-7 --output json")).Json;
        Assert.Equal(
            ("unchanged", 0, 0),
            (again.GetProperty("result").GetString(), again.GetProperty("keys_revoked").GetInt32(), again.GetProperty("executions_closed").GetInt32()));
        Assert.Equal("2027-02-03T10:00:00.000Z", again.GetProperty("free_again_at").GetString());
        (await ctl.SayAsync("tenant remove tenant-8")).Refuses(1, "not registered");
    }

    [Fact]
    public async Task A_number_is_free_again_when_its_data_is_no_longer_kept()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("tenant suspend tenant-7");
        await ctl.DoAsync("tenant remove tenant-7");
        var (register, ninety) = ("tenant register tenant-7 --name Next --engine 10.106.128.11:5678", TimeSpan.FromDays(90));
        ctl.Clock.Advance(ninety - TimeSpan.FromSeconds(1));
        (await ctl.SayAsync(register)).Refuses(1, "free again 2027-02-03");
        Assert.IsType<Registered.Before>(await RegisterPastTheCommandAsync());

        ctl.Clock.Advance(TimeSpan.FromSeconds(1));
        await ctl.DoAsync(register);
        var tenant = (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!;
        Assert.Equal(("Next", TenantStatus.Active, null), (tenant.Name, tenant.Status, tenant.RemovedAt));
        Assert.IsType<Registered.Before>(await RegisterPastTheCommandAsync());                               // one that is active is never overwritten

        async Task<Registered> RegisterPastTheCommandAsync() =>
            await new ControlPlane.Aws.TenantAdministration(ctl.Tables.Client, ctl.Tables.Tenants, ctl.Tables.Auditor, ctl.Clock)
            .RegisterAsync(
                (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))! with { Name = "Thief", Status = TenantStatus.Active, RemovedAt = null }, null,
                Cancel);
    }

    [Fact]
    public async Task Limits_change_one_by_one_and_leave_the_rest()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.DoAsync("tenant suspend tenant-7");
        await ctl.DoAsync("tenant limits tenant-7 --monthly-gpu 100h --concurrency 3");
        await ctl.DoAsync("tenant limits tenant-7 --monthly-quota 0");
        Assert.Equal(new TenantLimits(0, 3, 360_000_000), (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Limits);
        await ctl.DoAsync("tenant limits tenant-7 --monthly-gpu none");
        var tenant = await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel);
        Assert.Equal((new TenantLimits(0, 3, null), TenantStatus.Suspended), (tenant!.Limits, tenant.Status));
        Assert.DoesNotContain("limited", (await ctl.DoAsync("tenant limits tenant-7")).Output, StringComparison.Ordinal);
        Assert.Contains("as it was", (await ctl.DoAsync("tenant limits tenant-7 --monthly-gpu none --concurrency 3")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task How_many_instances_and_what_silence_means_are_limits_too()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        Assert.Equal(
            (200, false),
            ((await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Limits is var standard ? (standard.Instances,
                standard.DeniesWhenSilent) : default));
        await ctl.DoAsync("tenant limits tenant-7 --instances-max 3 --when-silent deny");
        Assert.Equal(
            (3, true),
            ((await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Limits is var limits ? (limits.Instances, limits.DeniesWhenSilent) : default));
        await ctl.DoAsync("tenant limits tenant-7 --when-silent warn");
        Assert.Equal(
            (3, false),
            ((await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Limits is var warned ? (warned.Instances, warned.DeniesWhenSilent) : default));
        await ctl.DoAsync("tenant register tenant-8 --name Other --engine 10.107.128.10:5678 --instances-max 1 --when-silent deny");
        Assert.Equal(
            (1, true),
            ((await ctl.Registry.FindAsync(TenantId.Parse("tenant-8"), Cancel))!.Limits is var other ? (other.Instances, other.DeniesWhenSilent) : default));
    }

    [Theory]
    [InlineData("--instances-max 0"), InlineData("--instances-max 10001"), InlineData("--when-silent maybe")]
    [InlineData("--monthly-quota -1"), InlineData("--monthly-quota 1.5"), InlineData("--monthly-quota 9007199254740992"), InlineData("--concurrency 100001"),
        InlineData("--concurrency ٣")]
    [InlineData("--monthly-gpu 0h"), InlineData("--monthly-gpu 100"), InlineData("--monthly-gpu -1h")]
    public async Task A_limit_that_is_none_is_refused(string limit)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        (await ctl.SayAsync($"tenant limits tenant-7 {limit}")).Refuses(2, "See ./ctl tenant limits --help");
        Assert.Equal(TenantLimits.Default, (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Limits);
    }

    [Fact]
    public async Task A_stored_engine_that_may_not_be_dialled_is_shown_as_a_fault_and_mended()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        await ctl.Tables.Client.UpdateItemAsync(
            ctl.Tables.Tenants, Items.Key("tenant-7", "PROFILE"), new() { ["engine"] = new() { Action = "PUT", Value = Items.Text("169.254.169.254") } },
            Cancel);

        (await ctl.SayAsync("tenant show tenant-7")).Refuses(1, "stored engine address of tenant-7", "./ctl tenant engine");
        await ctl.DoAsync("tenant register tenant-8 --name Other --engine 10.107.128.10:5678");
        foreach (var list in new[] { "tenant list", "usage", "health" })
        {
            var said = await ctl.DoAsync(list);
            Assert.Contains("tenant-8", said.Output, StringComparison.Ordinal);
            Assert.Contains("./ctl tenant engine tenant-7", said.Error, StringComparison.Ordinal);
        }
        await ctl.DoAsync("tenant engine tenant-7 10.106.144.10:5678");
        Assert.Equal("10.106.144.10", (await ctl.Registry.FindAsync(OperatorFixture.Seven, Cancel))!.Engine.ToString());
        (await ctl.SayAsync("tenant engine tenant-7 10.107.128.10:5678")).Refuses(1, "is refused");
    }

    [Fact]
    public async Task A_name_cannot_act_on_a_terminal()
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        await ctl.RegisterAsync();
        (await ctl.SayAsync("tenant rename tenant-7 '\u001b[2J'")).Refuses(2, "is no name");
        await ctl.DoAsync("tenant rename tenant-7 '[red]Acme[/] & Söhne'");
        Assert.Contains("[red]Acme[/] & Söhne", (await ctl.DoAsync("tenant list")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tenant show tenant-9"), InlineData("tenant limits tenant-9"), InlineData("tenant limits tenant-9 --concurrency 1"),
        InlineData("tenant suspend tenant-9"), InlineData("tenant resume tenant-9")]
    [InlineData("tenant engine tenant-9 10.108.128.10"), InlineData("tenant rename tenant-9 X"), InlineData("slack link tenant-9 T0009"),
        InlineData("key list tenant-9")]
    [InlineData("key add tenant-9 --public-key 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="), InlineData("workflow publish tenant-9 wf_sched --path wf_sched"),
        InlineData("workflow list tenant-9")]
    [InlineData("group set tenant-9 ops --user U1"), InlineData("group list tenant-9"), InlineData("execution list tenant-9"), InlineData("usage tenant-9"),
        InlineData("metering tenant-9"), InlineData("engine-key tenant-9")]
    public async Task Nothing_can_be_said_about_a_tenant_that_is_not_registered(string line)
    {
        await using var ctl = await OperatorFixture.StartAsync(cloud);
        (await ctl.SayAsync(line)).Refuses(1, "tenant-9 is not registered", "./ctl tenant register");
        Assert.Empty((await ctl.Tables.Client.ScanAsync(new() { TableName = ctl.Tables.Tenants }, Cancel)).Items ?? []);
    }
}
