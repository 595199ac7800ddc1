using ControlPlane.Local.Secrets;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Local;

public sealed class SecretVaultTests
{
    [Fact]
    public void A_new_version_is_current_and_the_one_before_it_previous()
    {
        var vault = new SecretVault(null, new FakeTimeProvider());
        vault.Put("slack", "one", create: true);
        vault.Put("slack", "two");
        vault.Put("slack", "three");

        Assert.Equal("three", vault.Get("slack", null, null).Text);
        Assert.Equal("two", vault.Get("slack", null, "AWSPREVIOUS").Text);
        Assert.Equal([0, 1, 1], vault.VersionsOf("slack").Select(version => version.Stages.Count));
    }

    [Fact]
    public void The_same_version_twice_is_one_version()
    {
        var vault = new SecretVault(null, new FakeTimeProvider());
        vault.Put("root", "text", "v1", create: true);
        vault.Put("root", "text", "v1");

        Assert.Single(vault.VersionsOf("root"));
        Assert.Throws<SecretVersionTaken>(() => vault.Put("root", "another text", "v1"));
    }

    [Fact]
    public void Secrets_survive_a_restart()
    {
        var file = Path.Combine(Path.GetTempPath(), $"secrets-{Guid.NewGuid():N}.json");
        try
        {
            var put = new SecretVault(file, new FakeTimeProvider()).Put("slack", "one", create: true);
            Assert.Equivalent(put, new SecretVault(file, new FakeTimeProvider()).Get("slack", put.VersionId, "AWSCURRENT"), strict: true);
        }
        finally { File.Delete(file); }
    }

    [Fact]
    public void What_is_not_there_is_not_found()
    {
        var vault = new SecretVault(null, new FakeTimeProvider());
        Assert.Throws<SecretNotFound>(() => vault.Get("slack", null, null));
        vault.Put("slack", "one", create: true);
        Assert.Throws<SecretNotFound>(() => vault.Get("slack", null, "AWSPREVIOUS"));
    }
}
