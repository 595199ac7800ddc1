using System.Text;
using ControlPlane.Executions;
using ControlPlane.MeteringCollector;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tokens;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>The token comes first: without a good one nothing is read, and nothing changes.</summary>
public sealed class OutcomeTokenTests(LocalCloud cloud)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("10.142.0.1", 200)]
    [InlineData("10.142.255.254", 200)]
    [InlineData("10.141.255.255", 403)]
    [InlineData("10.143.0.0", 403)]
    [InlineData(null, 403)]
    public async Task An_outcome_comes_from_its_tenants_network(string? sourceIp, int status)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var answer = await desk.SendAsync(OutcomeFixture.Request($"Bearer {job.Token}", Encoding.UTF8.GetBytes(OutcomeText.Succeeded.For(job.Id)), sourceIp));
        Assert.Equal((status, status == 200 ? null : "source-network-mismatch"), (answer.Status, answer.Code));
        Assert.Equal(status == 200 ? ExecutionState.Succeeded : ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_source_check_can_be_made_to_warn_or_to_be_silent(bool warns)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        desk.SourceNetworkCheck = warns ? SourceNetworkCheck.Warn : SourceNetworkCheck.Off;
        desk.Restart();
        var job = await desk.StartAsync();
        Assert.Equal(200, (await desk.SendAsync(OutcomeFixture.Request($"Bearer {job.Token}", Encoding.UTF8.GetBytes(OutcomeText.Succeeded.For(job.Id)), "203.0.113.9"))).Status);
        Assert.Equal(warns, desk.Logged.Contains("source_outside", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer  {token}")]
    [InlineData(" Bearer {token}")]
    [InlineData("Bearer {token} ")]
    [InlineData("Bearer {token}\n")]
    [InlineData("Bearer {token},Bearer {token}")]
    [InlineData("Bearer {token} {token}")]
    [InlineData("Basic {token}")]
    [InlineData("{token}")]
    [InlineData("Bearer {dispatch}")]
    [InlineData("Bearer x.y.z")]
    public async Task There_is_one_header_with_one_token(string? form)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var dispatch = new TokenMinter(OutcomeFixture.Issuer, desk.Clock).ForDispatch(
            await desk.NewKeys().ToSignAsync(OutcomeFixture.Tenant, Cancel), OutcomeFixture.Tenant, job.Id, Tenants.WorkflowName.Parse("wf"), "{}"u8);
        var seam = FaultSeam.None();
        desk.Restart(seam);

        var header = form?.Replace("{token}", job.Token, StringComparison.Ordinal).Replace("{dispatch}", dispatch.Text, StringComparison.Ordinal);
        var request = OutcomeFixture.Request(header, OutcomeText.Succeeded.For(job.Id));
        request.QueryStringParameters = new Dictionary<string, string> { ["access_token"] = job.Token };
        var answer = await desk.SendAsync(request);

        Assert.Equal((401, "token-invalid"), (answer.Status, answer.Code));
        Assert.Empty(seam.Calls);
        Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);
    }

    [Fact]
    public async Task A_header_that_occurs_twice_is_none()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var request = OutcomeFixture.Request($"Bearer {job.Token}", OutcomeText.Succeeded.For(job.Id));
        request.MultiValueHeaders!["Authorization"] = [$"Bearer {job.Token}", $"Bearer {job.Token}"];
        Assert.Equal(401, (await desk.SendAsync(request)).Status);
    }

    [Fact]
    public async Task The_scheme_is_read_without_case()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        Assert.Equal(200, (await desk.SendAsync(OutcomeFixture.Request($"bEARER {job.Token}", OutcomeText.Succeeded.For(job.Id)))).Status);
    }

    [Theory]
    [InlineData(-1, 200)]
    [InlineData(0, 200)]
    [InlineData(30, 200)]
    [InlineData(31, 401)]
    public async Task A_token_ends_a_day_after_the_deadline_with_thirty_seconds_of_leeway(int seconds, int status)
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        desk.Clock.Advance(TimeSpan.FromHours(25) + TimeSpan.FromSeconds(seconds));
        Assert.Equal(status, (await desk.SendAsync(job, OutcomeText.Succeeded)).Status);
    }

    [Fact]
    public async Task The_body_is_not_looked_at_before_the_token()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        Assert.Equal(401, (await desk.SendAsync(OutcomeFixture.Request("Bearer x.y.z", "no JSON"))).Status);
        Assert.Equal(413, (await desk.SendAsync(OutcomeFixture.Request("Bearer x.y.z", new string('x', 256 * 1024 + 1)))).Status);
    }

    [Fact]
    public async Task The_previous_key_serves_for_its_overlap_and_a_removed_one_never()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var jobs = new[] { await desk.StartAsync(), await desk.StartAsync() };
        desk.Secrets.PutRoot("v2", desk.Clock.Now, first: 1);
        desk.Restart();
        Assert.Equal(200, (await desk.SendAsync(jobs[0], OutcomeText.Succeeded)).Status);

        desk.Secrets.PutRoot("v3", desk.Clock.Now, first: 2);
        desk.Restart();
        Assert.Equal(401, (await desk.SendAsync(jobs[1], OutcomeText.Succeeded)).Status);
    }

    [Fact]
    public async Task A_key_that_is_newer_than_memory_is_learnt_and_unknown_ones_cause_no_flood_of_reads()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var old = await desk.StartAsync();
        Assert.Equal(200, (await desk.SendAsync(old, OutcomeText.Succeeded)).Status);

        // Rotated and past the time in which the new key is only published.
        desk.Secrets.PutRoot("v2", desk.Clock.Now.AddHours(-1), first: 1);
        desk.Clock.Advance(TimeSpan.FromMinutes(1));
        var fresh = await desk.StartAsync();
        Assert.Equal(200, (await desk.SendAsync(fresh, OutcomeText.Succeeded)).Status);

        desk.Secrets.PutRoot("v0", desk.Clock.Now.AddMinutes(-30), first: 9);
        var strange = new List<Job>();
        for (var i = 0; i < 3; i++)
            strange.Add(await desk.StartAsync());
        desk.Secrets.PutRoot("v1", desk.Clock.Now.AddHours(-1), first: 0);
        desk.Secrets.PutRoot("v2", desk.Clock.Now.AddHours(-1), first: 1);
        var before = desk.Secrets.CurrentReads;
        for (var i = 0; i < 10_000; i++)
            Assert.Equal(401, (await desk.SendAsync(strange[i % 3], OutcomeText.Succeeded)).Status);
        Assert.True(desk.Secrets.CurrentReads - before <= 1);
    }

    [Fact]
    public async Task Keys_loaded_anew_keep_accepting_what_is_valid()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        for (var i = 0; i < 3; i++)
        {
            desk.Restart();
            var job = await desk.StartAsync();
            for (var again = 0; again < 5; again++)
                Assert.Equal(200, (await desk.SendAsync(job, OutcomeText.Succeeded)).Status);
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    [Fact]
    public async Task Without_the_root_secret_the_answer_is_503_and_nothing_is_accepted()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        desk.Secrets.IsDown = true;
        desk.Restart();
        Assert.Equal(503, (await desk.SendAsync(job, OutcomeText.Succeeded)).Status);
        Assert.Equal(ExecutionState.Dispatched, (await desk.ReadAsync(job)).State);
    }

    // No tenant is read on this road, so suspension and deletion after the dispatch change nothing: the work was done, and the outcome is booked.
    [Fact]
    public async Task An_outcome_is_booked_whatever_became_of_the_tenant()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        Assert.Null(await new Aws.TenantRegistry(desk.Tables.Client, desk.Tables.Tenants).FindAsync(OutcomeFixture.Tenant, Cancel));
        Assert.Equal(200, (await desk.SendAsync(job, OutcomeText.Succeeded)).Status);
    }
}
