using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Conventions;

/// <summary>A server for the tests that does not start.</summary>
public sealed class ServiceTests
{
    [Fact]
    public async Task It_is_one_failure_with_its_cause_and_skips_the_rest()
    {
        await using var service = new Service<MemoryStream>("The table server", () => throw new InvalidOperationException("Java is missing."));

        var first = await RefusedByAsync(service);
        var second = await RefusedByAsync(service);

        Assert.Equal("Java is missing.", Assert.IsType<InvalidOperationException>(first).Message);
        Assert.Contains("Java is missing.", Assert.IsType<Xunit.Sdk.SkipException>(second).Message, StringComparison.Ordinal);
    }

    // Record.Exception would let the skip through, and skip this test.
    private static async Task<Exception?> RefusedByAsync(Service<MemoryStream> service)
    {
        try
        {
            await service.StartedAsync();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
