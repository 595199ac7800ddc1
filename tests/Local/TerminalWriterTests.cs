using ControlPlane.Local.Output;

namespace ControlPlane.Tests.Local;

public sealed class TerminalWriterTests
{
    [Fact]
    public void What_is_written_to_a_terminal_that_is_gone_is_lost_and_stops_nobody()
    {
        using var writer = new TerminalWriter(new Gone());
        writer.WriteLine("one line");
        writer.Write('x');
        writer.Flush();
    }

    [Fact]
    public void What_is_written_to_a_terminal_is_there()
    {
        var terminal = new StringWriter();
        using var writer = new TerminalWriter(terminal);
        writer.WriteLine("one line");
        Assert.Equal($"one line{Environment.NewLine}", terminal.ToString());
    }

    private sealed class Gone : StringWriter
    {
        public override void Write(char value) => throw new IOException("Input/output error");

        public override void Write(char[] buffer, int index, int count) => throw new IOException("Input/output error");

        public override void Write(string? value) => throw new IOException("Input/output error");

        public override void Flush() => throw new IOException("Input/output error");
    }
}
