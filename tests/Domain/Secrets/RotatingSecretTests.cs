using ControlPlane.Secrets;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Domain.Secrets;

public class RotatingSecretTests
{
    private static readonly TimeSpan Overlap = TimeSpan.FromHours(24);

    private readonly FakeTimeProvider _clock = new(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
    private readonly Vault _vault = new();

    private RotatingSecret<string> Secret =>
        field ??= new(_vault, "slack", text => text.Length > 0 ? text : throw new FormatException("empty"), Overlap, _clock);

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
    public async Task What_fits_nothing_in_memory_is_tried_once_more_on_what_the_store_has()
    {
        _vault.Put("v1", "first", _clock.GetUtcNow());
        Assert.True(await Secret.FitsAsync(versions => versions.Current.Value == "first", Cancel));
        Assert.Equal(1, _vault.CurrentReads);
        _clock.Advance(RotatingSecret<string>.RefreshInterval);
        _vault.Put("v2", "second", _clock.GetUtcNow());

        Assert.Equal("second", await Secret.TryAsync(versions => versions.Current.Value is "second" and var fits ? fits : null, Cancel));
        Assert.False(await Secret.FitsAsync(versions => versions.Current.Value == "third", Cancel));
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
    public async Task Whoever_starts_while_the_value_is_malformed_is_served_the_one_before_it_and_says_so()
    {
        _vault.Put("v1", "first", _clock.GetUtcNow());
        _vault.Put("v2", "", _clock.GetUtcNow());
        var noticed = 0;
        var secret = new RotatingSecret<string>(
            _vault, "slack", text => text.Length > 0 ? text : throw new FormatException("empty"), Overlap, _clock, () => noticed++);

        var versions = await secret.GetAsync(Cancel);
        Assert.Equal(("first", true, 1), (versions.Current.Value, versions.IsMalformed, noticed));
        _vault.Put("v3", "", _clock.GetUtcNow());
        await Assert.ThrowsAsync<FormatException>(async () => await new RotatingSecret<string>(_vault, "slack",
            text => text.Length > 0 ? text : throw new FormatException("empty"), Overlap, _clock).GetAsync(Cancel));
    }

    [Fact]
    public async Task Generations_inside_the_value_are_each_honoured_until_the_next_ones_overlap_ends()
    {
        var now = _clock.GetUtcNow();
        _vault.Put("old", "another", now.AddDays(-3));
        _vault.Put("v3", Generations("v3", now, ("v2", now.AddHours(-1)), ("v1", now.AddHours(-2))), now);

        Assert.Equal(["v3", "v2", "v1"], await IdsAsync());                 // and none that was left out
        _clock.Advance(Overlap - TimeSpan.FromHours(1));
        Assert.Equal(["v3", "v2"], await IdsAsync());
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(["v3"], await IdsAsync());
    }

    [Fact]
    public async Task A_value_changed_by_hand_is_a_generation_of_its_own_and_loses_none_of_those_before_it()
    {
        var now = _clock.GetUtcNow();
        _vault.Put("v2", Generations("v2", now.AddHours(-1), ("v1", now.AddHours(-2))), now.AddHours(-1));
        _vault.Put("v3", Generations("v2", now.AddHours(-1), ("v1", now.AddHours(-2))), now);
        Assert.Equal(["v3", "v2", "v1"], await IdsAsync());
        _vault.Put("v4", "plain", now);
        _clock.Advance(RotatingSecret<string>.MaximumAge);
        Assert.Equal(["v4", "v3", "v1"], await IdsAsync());
    }

    [Theory]
    [InlineData("""{"id":"v1","at":"2026-11-22T12:00:00.000Z","before":{}}""")]
    [InlineData("""{"id":"v1","at":"yesterday","before":[]}""")]
    [InlineData("""{"id":"v1","at":"2026-11-22T12:00:00.000Z","before":[{}]}""")]
    [InlineData("""{"id":"v1","at":"2026-11-22T12:00:00.000Z","before":[5]}""")]
    [InlineData("""{"id":"v1","at":"2026-11-22T12:00:00.000Z","before":[{"id":"v1","at":"2026-11-22T12:00:00.000Z"}]}""")]
    [InlineData("""{"id":"v1","at":"2026-11-22T12:00:00.000Z","before":[{"id":"v0","at":"2026-11-22T12:00:01.000Z"}]}""")]
    public async Task Generations_that_no_rotation_wrote_are_malformed(string text)
    {
        _vault.Put("v1", text, _clock.GetUtcNow());
        Assert.DoesNotContain("v0", (await Assert.ThrowsAsync<FormatException>(async () => await Secret.GetAsync(Cancel))).Message, StringComparison.Ordinal);
    }

    private async Task<IEnumerable<string>> IdsAsync() => (await Secret.GetAsync(Cancel)).All.Select(one => one.VersionId);

    private static string Generations(string id, DateTimeOffset at, params (string Id, DateTimeOffset At)[] before) =>
        "{" + Members(id, at) + ",\"before\":[" + string.Join(',', before.Select(one => "{" + Members(one.Id, one.At) + "}")) + "]}";

    private static string Members(string id, DateTimeOffset at) => $"\"id\":\"{id}\",\"at\":\"{ControlPlane.Text.Rfc3339.Format(at)}\"";

    [Fact]
    public void A_stored_secret_does_not_print_itself() =>
        Assert.DoesNotContain("hush", new StoredSecret("v1", "hush", default).ToString(), StringComparison.Ordinal);

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
