using ControlPlane.Configuration;

namespace ControlPlane.Tests.Domain.Configuration;

/// <summary>A setting that is missing or wrong stops the start and is named.</summary>
public sealed class SettingTests
{
    private readonly string _name = $"SETTING_{Guid.NewGuid():N}";

    [Theory]
    [InlineData(null), InlineData(""), InlineData("  ")]
    public void What_is_blank_is_missing(string? value)
    {
        Environment.SetEnvironmentVariable(_name, value);
        Assert.Null(Setting.Optional(_name));
        foreach (var read in new Action[]
        {
            () => Setting.Required(_name), () => Setting.RequiredCount(_name), () => Setting.RequiredUrl(_name), () => Setting.RequiredQueueUrl(_name),
        })
            Assert.Equal($"The setting {_name} is missing.", Assert.Throws<SettingException>(read).Message);
    }

    [Fact]
    public void What_is_there_is_read_as_it_is()
    {
        Environment.SetEnvironmentVariable(_name, " x ");
        Assert.Equal((" x ", " x "), (Setting.Required(_name), Setting.Optional(_name)));
    }

    [Theory]
    [InlineData("1", 1), InlineData("600", 600), InlineData("0", null), InlineData("-1", null), InlineData("1.5", null), InlineData(" 1", null), InlineData("x", null)]
    public void A_count_is_a_whole_number_above_zero(string value, int? count)
    {
        Environment.SetEnvironmentVariable(_name, value);
        if (count is null)
            Assert.Equal($"The setting {_name} is not a whole number above zero.", Assert.Throws<SettingException>(() => Setting.RequiredCount(_name)).Message);
        else
            Assert.Equal(count, Setting.RequiredCount(_name));
    }

    [Theory]
    [InlineData("https://cp.example.com/x", true), InlineData("http://127.0.0.1:1", true)]
    [InlineData("cp.example.com", false), InlineData("/x", false), InlineData("ftp://x/y", false), InlineData("file:///x", false)]
    public void An_address_is_absolute_and_of_the_web(string value, bool isTaken)
    {
        Environment.SetEnvironmentVariable(_name, value);
        if (isTaken)
            Assert.Equal(value, Setting.RequiredUrl(_name).OriginalString);
        else
            Assert.Equal($"The setting {_name} is not an absolute URL.", Assert.Throws<SettingException>(() => Setting.RequiredUrl(_name)).Message);
    }

    [Theory]
    [InlineData("https://sqs.eu-west-1.amazonaws.com/1/requests", true), InlineData("https://sqs.eu-west-1.amazonaws.com/", false)]
    [InlineData("https://sqs.eu-west-1.amazonaws.com", false)]
    public void A_queues_address_ends_in_its_name(string value, bool isTaken)
    {
        Environment.SetEnvironmentVariable(_name, value);
        if (isTaken)
            Assert.Equal(value, Setting.RequiredQueueUrl(_name));
        else
            Assert.Equal(
                $"The setting {_name} is not the address of a queue.", Assert.Throws<SettingException>(() => Setting.RequiredQueueUrl(_name)).Message);
    }
}
