using ControlPlane.Tests.Cloud;

namespace ControlPlane.Tests.Conventions;

/// <summary>A server for the tests that does not start.</summary>
public sealed class ServiceTests
{
    [Fact]
    public async Task It_is_one_failure_with_its_cause_and_skips_the_rest()
    {
        await using var service = new Service<MemoryStream>("The table server", () => throw new InvalidOperationException("Java is missing."));

        var first = await Record.ExceptionAsync(service.StartedAsync);
        var second = await Record.ExceptionAsync(service.StartedAsync);

        Assert.Equal("Java is missing.", Assert.IsType<InvalidOperationException>(first).Message);
        Assert.Contains("Java is missing.", second!.Message, StringComparison.Ordinal);
        Assert.IsNotType<InvalidOperationException>(second);
    }
}
