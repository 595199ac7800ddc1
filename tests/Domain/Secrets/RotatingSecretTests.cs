using ControlPlane.Secrets;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Domain.Secrets;

public class RotatingSecretTests
{
    private static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    private readonly FakeTimeProvider _clock = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private readonly Vault _vault = new();

    private RotatingSecret<string> Secret => field ??= new(_vault, "slack", text => text.Length > 0 ? text : throw new FormatException("empty"), Overlap, _clock);

    [Fact]
    public async Task It_is_read_once_and_served_from_memory()
    {
        _vault.Put("v1", "first", _clock.GetUtcNow() - TimeSpan.FromDays(2));

        await Secret.GetAsync(Cancel);
        var versions = await Secret.GetAsync(Cancel);

        Assert.Equal("first", versions.Current.Value);
        Assert.Equal(1, _vault.CurrentReads);
    }

    [Fact]
    public async Task The_previous_version_is_honoured_until_the_overlap_ends_and_not_a_second_longer()
    {
        _vault.Put("v1", "first", _clock.GetUtcNow() - TimeSpan.FromDays(2));
        _vault.Put("v2", "second", _clock.GetUtcNow());

        Assert.Equal("first", (await Secret.GetAsync(Cancel)).Previous?.Value);
        _clock.Advance(Overlap - TimeSpan.FromSeconds(1));
        Assert.Equal("first", (await Secret.GetAsync(Cancel)).Previous?.Value);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null((await Secret.GetAsync(Cancel)).Previous);
    }

    [Fact]
    public async Task A_refresh_finds_a_new_version_at_once_but_asks_at_most_once_an_interval()
    {
        _vault.Put("v1", "first", _clock.GetUtcNow());
        await Secret.GetAsync(Cancel);
        _clock.Advance(RotatingSecret<string>.RefreshInterval);
        _vault.Put("v2", "second", _clock.GetUtcNow());

        Assert.True(await Secret.RefreshAsync(Cancel));
        for (var i = 0; i < 10_000; i++)
            Assert.False(await Secret.RefreshAsync(Cancel));

        Assert.Equal("second", (await Secret.GetAsync(Cancel)).Current.Value);
        Assert.Equal(2, _vault.CurrentReads);
    }

    [Fact]
    public async Task A_warm_function_serves_on_while_the_store_is_down()
    {
        _vault.Put("v1", "first", _clock.GetUtcNow());
        await Secret.GetAsync(Cancel);
        _vault.IsDown = true;
        _clock.Advance(RotatingSecret<string>.MaximumAge * 10);

        Assert.Equal("first", (await Secret.GetAsync(Cancel)).Current.Value);
    }

    [Fact]
    public async Task A_warm_function_waits_only_a_moment_for_a_store_that_hangs()
    {
        _vault.Put("v1", "first", _clock.GetUtcNow());
        await Secret.GetAsync(Cancel);
        _vault.Hangs = true;
        _clock.Advance(RotatingSecret<string>.MaximumAge);

        var answer = Secret.GetAsync(Cancel).AsTask();
        Assert.False(answer.IsCompleted);
        _clock.Advance(RotatingSecret<string>.Patience);

        Assert.Equal("first", (await answer).Current.Value);
    }

    [Fact]
    public async Task A_cold_function_fails_while_the_store_is_down()
    {
        _vault.IsDown = true;

        await Assert.ThrowsAsync<IOException>(async () => await Secret.GetAsync(Cancel));
    }

    [Fact]
    public async Task A_malformed_new_version_never_replaces_a_good_one()
    {
        _vault.Put("v1", "first", _clock.GetUtcNow());
        await Secret.GetAsync(Cancel);
        _vault.Put("v2", "", _clock.GetUtcNow());
        _clock.Advance(RotatingSecret<string>.MaximumAge);

        Assert.Equal("first", (await Secret.GetAsync(Cancel)).Current.Value);
    }

    [Fact]
    public async Task A_placeholder_before_the_first_real_value_is_no_previous_version()
    {
        _vault.Put("v1", "", _clock.GetUtcNow());
        _vault.Put("v2", "second", _clock.GetUtcNow());

        var versions = await Secret.GetAsync(Cancel);

        Assert.Equal("second", versions.Current.Value);
        Assert.Null(versions.Previous);
    }

    [Fact]
    public void A_stored_secret_does_not_print_itself() => Assert.DoesNotContain("hush", new StoredSecret("v1", "hush", default).ToString(), StringComparison.Ordinal);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private sealed class Vault : ISecretSource
    {
        private StoredSecret? _current;
        private StoredSecret? _previous;

        public int CurrentReads { get; private set; }
        public bool IsDown { get; set; }
        public bool Hangs { get; set; }

        public void Put(string version, string text, DateTimeOffset at) => (_previous, _current) = (_current, new(version, text, at));

        public async Task<StoredSecret?> ReadAsync(string secretId, string stage, CancellationToken cancel)
        {
            if (Hangs)
                await Task.Delay(Timeout.Infinite, cancel);
            if (IsDown)
                throw new IOException("the store is down");
            if (stage == "AWSCURRENT")
                CurrentReads++;
            return stage == "AWSCURRENT" ? _current : _previous;
        }
    }
}
