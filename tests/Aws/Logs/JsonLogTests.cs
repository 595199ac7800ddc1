using System.Text;
using System.Text.Json;
using ControlPlane.Aws.Logs;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace ControlPlane.Tests.Aws.Logs;

public partial class JsonLogTests
{
    private readonly MemoryStream _output = new();
    private readonly JsonLog _log;

    public JsonLogTests() => _log = new(_output, new FakeTimeProvider(new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero)));

    [Theory]
    [InlineData("a\r\n{\"event\":\"forged\"}")]
    [InlineData("a\u2028b\u0085c")]
    [InlineData("\u001b[31m\0\"{0}{Text}")]
    public void Text_from_outside_stays_inside_its_field(string text)
    {
        Said(_log, text, 7);

        var lines = Encoding.UTF8.GetString(_output.ToArray()).Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.Equal("", lines[1]);
        Assert.All(lines[0], character => Assert.InRange(character, ' ', '~'));
        using var entry = JsonDocument.Parse(lines[0]);
        Assert.Equal(text, entry.RootElement.GetProperty("text").GetString());
        Assert.Equal(7, entry.RootElement.GetProperty("count").GetInt32());
        Assert.Equal("Said", entry.RootElement.GetProperty("event").GetString());
        Assert.Equal("A user said {Text} {Count} times", entry.RootElement.GetProperty("message").GetString());
    }

    [Fact]
    public void A_long_text_is_cut()
    {
        Said(_log, new string('x', 300_000), 1);

        Assert.InRange(_output.Length, 1, 2_000);
    }

    [Fact]
    public void An_exceptions_text_is_not_logged_for_it_may_quote_what_was_sent()
    {
        Failed(_log, new InvalidOperationException("token eyJhbGciOi", new IOException("secret")));

        var line = Encoding.UTF8.GetString(_output.ToArray());
        Assert.DoesNotContain("eyJ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
        Assert.Contains("System.InvalidOperationException", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_metric_is_one_line_in_the_embedded_metric_format()
    {
        var metrics = new Metrics(_log, new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddSeconds(1)));

        metrics.CountTimed(MetricCatalogue.DispatchAttempts, MetricCatalogue.DispatchMilliseconds, "accepted", 12.5, ("execution_id", "exec_1"));
        metrics.Write(MetricCatalogue.HeartbeatSkew, 2);

        Assert.Equal(
            """{"_aws":{"Timestamp":1000,"CloudWatchMetrics":[{"Namespace":"ControlPlane","Dimensions":[["Result"]],"Metrics":[{"Name":"DispatchAttempts","Unit":"Count"},{"Name":"DispatchMilliseconds","Unit":"Milliseconds"}]}]},"DispatchAttempts":1,"DispatchMilliseconds":12.5,"Result":"accepted","execution_id":"exec_1"}""" + "\n"
            + """{"_aws":{"Timestamp":1000,"CloudWatchMetrics":[{"Namespace":"ControlPlane","Dimensions":[[]],"Metrics":[{"Name":"HeartbeatSkew","Unit":"Seconds"}]}]},"HeartbeatSkew":2}""" + "\n",
            Encoding.UTF8.GetString(_output.ToArray()));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A user said {Text} {Count} times")]
    private static partial void Said(ILogger log, string text, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "It failed")]
    private static partial void Failed(ILogger log, Exception error);
}
