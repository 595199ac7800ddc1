using System.Text.Json;
using ControlPlane.DpDispatcher;
using ControlPlane.Executions;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Tests.Support;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>The dispatcher's rules, as tables.</summary>
public sealed class RulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 2, 10, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(200, "application/json", "accepted"), InlineData(204, null, "accepted"), InlineData(299, "APPLICATION/json", "accepted")]
    [InlineData(200, "text/html", "accepted"), InlineData(200, null, "accepted"), InlineData(202, "text/plain", "accepted"), InlineData(205, null, "accepted")]
    [InlineData(408, null, "again"), InlineData(425, null, "again"), InlineData(429, null, "again"), InlineData(502, null, "again"),
        InlineData(503, null, "again")]
    [InlineData(500, "application/json", "ambiguous"), InlineData(504, null, "ambiguous"), InlineData(501, null, "ambiguous"),
        InlineData(520, null, "ambiguous"), InlineData(999, null, "ambiguous")]
    [InlineData(409, null, "accepted"), InlineData(404, "application/json", "not found"), InlineData(404, "text/html", "not found")]
    [InlineData(401, null, "dispatch_unauthorized"), InlineData(403, "text/plain", "dispatch_unauthorized")]
    [InlineData(400, null, "dispatch_rejected"), InlineData(422, null, "dispatch_rejected"), InlineData(431, null, "dispatch_rejected"),
        InlineData(451, null, "dispatch_rejected")]
    [InlineData(300, "application/json", "dispatch_rejected"), InlineData(304, null, "dispatch_rejected"), InlineData(101, null, "dispatch_rejected"),
        InlineData(199, "application/json", "dispatch_rejected")]
    public void Every_answer_means_one_thing(int status, string? mediaType, string meaning) =>
        Assert.Equal(meaning, NameOf(AfterFirst(new EngineAnswer.Answered(status, mediaType, null))));

    [Theory]
    [InlineData(200, "text/html", "n8n is starting up. Please wait", "again"), InlineData(200, "TEXT/HTML", "n8n is starting up", "again")]
    [InlineData(202, "text/html", "n8n is starting up", "accepted"), InlineData(200, "text/plain", "n8n is starting up", "accepted"),
        InlineData(200, "text/html", "N8N is starting up", "accepted")]
    public void Only_n8ns_boot_page_is_a_success_that_took_nothing(int status, string mediaType, string beginning, string meaning) =>
        Assert.Equal(meaning, NameOf(AfterFirst(new EngineAnswer.Answered(status, mediaType, null, beginning))));

    [Fact]
    public void Where_no_answer_came_it_counts_whether_the_request_was_handed_over()
    {
        Assert.Equal("again", NameOf(AfterFirst(new EngineAnswer.NotReached())));
        Assert.Equal("again", NameOf(AfterFirst(new EngineAnswer.NotAnEngine())));
        Assert.Equal("ambiguous", NameOf(AfterFirst(new EngineAnswer.Lost())));
        Assert.Equal("engine_address_refused", NameOf(AfterFirst(new EngineAnswer.AddressRefused())));
    }

    [Fact]
    public void Nothing_is_closed_or_sent_back_to_the_queue_once_it_may_have_arrived() =>
        Gen.Select(Gen.Int[0, SomeAnswers.Length - 1].Select(i => SomeAnswers[i]), Gen.Bool, Gen.Int[1, 5], Gen.Bool)
            .Sample((answer, idempotent, attempts, crashed) =>
            {
                var earlier = Enumerable.Range(1, attempts)
                    .Select(i => new DispatchAttempt(
                i, Now, 1, i == attempts && !crashed ? new AttemptResult.Ambiguous() : new AttemptResult.Again(), null)).ToList();
                var claimed = Claimed(earlier, count: attempts + (crashed ? 2 : 1), idempotent);
                Assert.True(NextStep.After(answer, claimed, Now) is NextStep.Accept or NextStep.LeaveUnknown);
                Assert.IsType<NextStep.LeaveUnknown>(NextStep.Unsent(DispatchFailure.Expired, claimed));
                if (!idempotent)
                    Assert.False(NextStep.After(answer, claimed, Now) is NextStep.LeaveUnknown { SendAgain: true });
            });

    [Fact]
    public void What_must_not_be_sent_says_why_and_what_may_says_where()
    {
        var claimed = Claimed([], count: 1, idempotent: false);
        var order = new DispatchOrder(claimed.Id, claimed.Tenant, WebhookPath.Of(claimed.Workflow), [1], "a.b.c", Now.AddSeconds(600));
        Assert.True(EngineAddress.TryParse("10.100.128.10", claimed.Tenant, allowPublicSubnet: false, out var address));
        var engine = new Engine(claimed.Tenant, address, AllowPublicSubnet: false);
        EngineLookup found = new EngineLookup.Found(engine);

        Assert.Equal(new Readiness.Ready(engine, order), Of(claimed, order, found));
        Assert.Equal(new Readiness.MustNot(DispatchFailure.TenantNotActive), Of(claimed, order, new EngineLookup.TenantNotActive()));
        Assert.Equal(new Readiness.MustNot(DispatchFailure.AddressRefused), Of(claimed, null, new EngineLookup.AddressRefused()));
        Assert.Equal(new Readiness.MustNot(DispatchFailure.Expired), Of(claimed, null, found));
        Assert.Equal(new Readiness.MustNot(DispatchFailure.Unreachable), Of(claimed, null, found, engineIsSilent: true));
        Assert.Equal(
            new Readiness.MustNot(DispatchFailure.Unreachable),
            Of(Claimed([new(1, Now, 1, new AttemptResult.Again(), 503)], count: 2, idempotent: false), null, found));
        Assert.Equal(new Readiness.MustNot(DispatchFailure.Expired), Of(claimed, order with { TokenExpiresAt = Now + Readiness.TokenReserve }, found));
        Assert.IsType<Readiness.Ready>(Of(claimed, order with { TokenExpiresAt = Now + Readiness.TokenReserve + TimeSpan.FromMilliseconds(1) }, found));
        Assert.Equal(new Readiness.MustNot(DispatchFailure.Expired), Of(claimed with { DeadlineAt = Now }, order, found));
        Assert.Equal(new Readiness.MustNot(DispatchFailure.Unreadable), Of(claimed, order with { Tenant = TenantId.Parse("tenant-2") }, found));
        Assert.Equal(new Readiness.MustNot(DispatchFailure.Unreadable), Of(claimed, order with { Token = "a b" }, found));
        Assert.Equal(new Readiness.MustNot(DispatchFailure.Unreadable), Of(claimed, order with { OtherToken = "a\r\nb" }, found));

        static Readiness Of(Execution claimed, DispatchOrder? order, EngineLookup engine, bool engineIsSilent = false) =>
            Readiness.Of(claimed, order, engine, engineIsSilent, Now);
    }

    [Fact]
    public void A_pause_keeps_its_bounds()
    {
        var random = new Random(7);
        Gen.Select(Gen.Int[1, 200], Gen.Double[-1e6, 1e9].Nullable(), Gen.Double[-10, 700]).Sample((receives, asked, left) =>
        {
            var pause = Pauses.Next(receives, asked is { } seconds ? TimeSpan.FromSeconds(seconds) : null, TimeSpan.FromSeconds(left), random);
            Assert.InRange(
                pause, Pauses.Least,
                Pauses.IsNearLastReceive(receives) ? TimeSpan.FromSeconds(700) : asked is null ? Pauses.Greatest : Pauses.GreatestRetryAfter * 1.25);
            if (left > 1 && !Pauses.IsNearLastReceive(receives))
                Assert.True(pause <= TimeSpan.FromSeconds(left));
        });
    }

    [Theory]
    [InlineData(0, 1), InlineData(-3600, 1), InlineData(45, 45), InlineData(120, 120), InlineData(100_000_000, 120)]
    public void What_an_engine_asks_for_is_honoured_within_bounds(double asked, double atLeast)
    {
        for (var i = 0; i < 100; i++)
            Assert.InRange(Pauses.Next(1, TimeSpan.FromSeconds(asked), TimeSpan.FromMinutes(10), Random.Shared).TotalSeconds, atLeast, atLeast * 1.25);
    }

    [Fact]
    public void A_message_does_not_run_out_of_receives_before_its_token_ends()
    {
        // Even if every pause came out as its least.
        var left = TimeSpan.FromSeconds(600);
        for (var receives = 1; left > TimeSpan.Zero; receives++)
        {
            Assert.True(receives < Pauses.MostReceives);
            left -= Pauses.Next(receives, null, left, new Least());
        }
    }

    [Fact]
    public void Pauses_are_spread_over_their_whole_range()
    {
        var pauses = Enumerable.Range(0, 2000).Select(_ => Pauses.Next(8, null, TimeSpan.FromMinutes(10), Random.Shared).TotalSeconds).ToList();
        Assert.InRange(pauses.Average(), 13, 17);
        Assert.True(pauses.Min() < 2 && pauses.Max() > 28);
    }

    [Fact]
    public async Task A_gate_lets_so_many_through_and_the_next_when_one_is_done()
    {
        var gates = new TenantGates(new FakeTimeProvider(Now));
        var passes = new List<TenantGates.Pass>();
        for (var i = 0; i < TenantGates.TriesAtOnce; i++)
            passes.Add((await gates.EnterAsync(TenantId.Parse("tenant-1"), Cancel)).Pass!);
        var next = gates.EnterAsync(TenantId.Parse("tenant-1"), Cancel);
        Assert.False(next.IsCompleted);
        Assert.NotNull((await gates.EnterAsync(TenantId.Parse("tenant-2"), Cancel)).Pass);
        passes[0].Dispose();
        Assert.NotNull((await next).Pass);
    }

    [Fact]
    public async Task Whoever_waits_too_long_at_a_gate_is_sent_away()
    {
        var clock = new FakeTimeProvider(Now);
        var gates = new TenantGates(clock);
        for (var i = 0; i < TenantGates.TriesAtOnce; i++)
            await gates.EnterAsync(TenantId.Parse("tenant-1"), Cancel);
        var next = gates.EnterAsync(TenantId.Parse("tenant-1"), Cancel);
        clock.Advance(TenantGates.LongestWait);
        Assert.Null((await next).Pass);
    }

    [Fact]
    public async Task A_gate_shuts_on_silence_and_opens_by_one_probe()
    {
        var clock = new FakeTimeProvider(Now);
        var gates = new TenantGates(clock);
        var tenant = TenantId.Parse("tenant-1");
        for (var i = 0; i < TenantGates.ShutsAfter; i++)
            await TryAsync(answered: false);
        var (none, stayAway) = await gates.EnterAsync(tenant, Cancel);
        Assert.Null(none);
        Assert.Equal(TimeSpan.FromSeconds(5), stayAway);

        clock.Advance(stayAway);
        var probe = (await gates.EnterAsync(tenant, Cancel)).Pass!;
        Assert.Null((await gates.EnterAsync(tenant, Cancel)).Pass);
        probe.Report(answered: false);
        probe.Dispose();
        Assert.Equal(TimeSpan.FromSeconds(10), (await gates.EnterAsync(tenant, Cancel)).StayAway);

        clock.Advance(TimeSpan.FromSeconds(10));
        await TryAsync(answered: true);
        Assert.False(gates.IsShut(tenant));
        await TryAsync(answered: true);

        async Task TryAsync(bool answered)
        {
            using var pass = (await gates.EnterAsync(tenant, Cancel)).Pass!;
            pass.Report(answered);
        }
    }

    /// <summary>What an answer to the first attempt leads to.</summary>
    internal static NextStep AfterFirst(EngineAnswer answer) => NextStep.After(answer, Claimed([], count: 1, idempotent: false), Now);

    private static readonly EngineAnswer[] SomeAnswers =
    [
        new EngineAnswer.NotReached(), new EngineAnswer.NotAnEngine(), new EngineAnswer.Lost(), new EngineAnswer.AddressRefused(),
        .. new[] { 200, 202, 302, 401, 403, 404, 409, 422, 429, 500, 503, 504 }.Select(status => new EngineAnswer.Answered(status, null, null)),
        new EngineAnswer.Answered(200, "text/html", null, "n8n is starting up"),
    ];

    private static string NameOf(NextStep step) => step switch
    {
        NextStep.Accept => "accepted",
        NextStep.Defer { NotFound: true } => "not found",
        NextStep.Defer => "again",
        NextStep.LeaveUnknown => "ambiguous",
        NextStep.Close close => close.Failure.Code,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static Execution Claimed(IReadOnlyList<DispatchAttempt> attempts, int count, bool idempotent) => new()
    {
        Id = ExecutionId.Of("T1", "1"),
        Tenant = TenantId.Parse("tenant-1"),
        Workflow = WorkflowName.Parse("wf"),
        RequestedBy = Requesters.OfSlack("T1", "U1", "C1"),
        State = ExecutionState.Dispatching,
        CreatedAt = Now,
        DeadlineAt = Now.AddHours(1),
        Month = Month.Of(Now),
        Inputs = default(JsonElement),
        IsIdempotent = idempotent,
        Attempts = attempts,
        AttemptCount = count,
    };

    private sealed class Least : Random
    {
        public override double NextDouble() => 0;
    }
}
