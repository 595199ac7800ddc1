using ControlPlane.Secrets;

namespace ControlPlane.Tests.Domain.Secrets;

/// <summary>A secret's value with the generations before it.</summary>
public sealed class SecretGenerationsTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("plain", "v2", false)]                                  // without generations: the version before it holds more
    [InlineData("""{"id":"v2","at":"2026-11-22T12:00:00Z"}""", "v2", false)]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[]}""", "v2", true)]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[{"id":"v1","at":"2026-11-22T10:00:00Z"}]}""", "v2 v1", true)]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[{"id":"v1","at":"2026-11-22T11:00:00Z"}]}""", "v2 v1", true)]      // made at one moment
    [InlineData("""{"id":"v0","at":"2026-11-22T11:00:00Z","before":[{"id":"v1","at":"2026-11-22T10:00:00Z"}]}""", "v2 v1", false)]     // changed by hand
    [InlineData("""{"before":[{"id":"v1","at":"2026-11-22T10:00:00Z"}]}""", "v2 v1", false)]
    public void The_newest_is_its_version_and_those_before_it_follow(string text, string ids, bool areAll)
    {
        var read = SecretGenerations.Read(new("v2", text, At), one => one);
        Assert.Equal((ids, areAll), (string.Join(' ', read.Generations.Select(one => one.VersionId)), read.AreAll));
    }

    [Fact]
    public void What_a_rotation_wrote_says_itself_when_it_was_made_and_what_a_hand_wrote_is_as_old_as_its_version()
    {
        const string text = """{"id":"v2","at":"2026-11-22T11:00:00Z","before":[]}""";
        Assert.Equal(At.AddHours(-1), SecretGenerations.Read(new("v2", text, At), one => one).Generations[0].CreatedAt);
        Assert.Equal(At, SecretGenerations.Read(new("v3", text, At), one => one).Generations[0].CreatedAt);
    }

    [Theory]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":{}}""")]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":null}""")]
    [InlineData("""{"id":"v2","before":[]}""")]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[{"id":"","at":"2026-11-22T10:00:00Z"}]}""")]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[{"at":"2026-11-22T10:00:00Z"}]}""")]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[{"id":"v1"}]}""")]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[{"id":"v1","at":"2026-11-22T11:00:00.001Z"}]}""")]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[{"id":"v2","at":"2026-11-22T10:00:00Z"}]}""")]
    [InlineData("""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[{"id":"v1","at":"2026-11-22T10:00:00Z"},{"id":"v0","at":"2026-11-22T10:30:00Z"}]}""")]
    public void What_no_rotation_writes_is_malformed(string text) =>
        Assert.Throws<FormatException>(() => SecretGenerations.Read(new("v2", text, At), one => one));

    [Theory]
    [InlineData(64, true), InlineData(65, false)]
    public void A_generations_id_is_as_long_as_a_versions(int length, bool isRead)
    {
        var read = () => SecretGenerations.Read(
            new("v2", $$"""{"id":"v2","at":"2026-11-22T11:00:00Z","before":[{"id":"{{new string('v', length)}}","at":"2026-11-22T10:00:00Z"}]}""", At), one => one);
        if (isRead)
            Assert.Equal(2, read().Generations.Count);
        else
            Assert.Throws<FormatException>(() => read());
    }

    [Fact]
    public void Each_generation_is_read_by_itself()
    {
        const string text = """{"n":"3","id":"v2","at":"2026-11-22T11:00:00Z","before":[{"n":"2","id":"v1","at":"2026-11-22T10:00:00Z"}]}""";
        var read = SecretGenerations.Read(new("v2", text, At), one => one[..8]);
        Assert.Equal(["{\"n\":\"3\"", "{\"n\":\"2\""], read.Generations.Select(one => one.Value));
    }

    [Fact]
    public void The_one_before_the_current_one_is_the_previous()
    {
        SecretVersion<string> one = new("v1", "one", At), two = new("v2", "two", At), three = new("v3", "three", At);
        Assert.Equal((three, two), (new SecretVersions<string>([three, two, one]).Current, new SecretVersions<string>([three, two, one]).Previous));
        Assert.Null(new SecretVersions<string>([three]).Previous);
    }

    [Fact]
    public void A_code_is_called_by_the_first_twelve_digits_of_its_hash() => Assert.Equal("0123456789ab", OneTimeCode.IdOf("0123456789abcdef0123"));
}
