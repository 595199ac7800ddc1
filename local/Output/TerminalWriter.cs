using System.Text;

namespace ControlPlane.Local.Output;

/// <summary>The terminal, for as long as there is one: what is written after it was closed is lost, and keeps nobody from ending in order.</summary>
internal sealed class TerminalWriter(TextWriter terminal) : TextWriter
{
    public override Encoding Encoding => terminal.Encoding;

    public override void Write(char value) => Try(() => terminal.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => terminal.Write(buffer, index, count));

    public override void Write(string? value) => Try(() => terminal.Write(value));

    public override void Flush() => Try(terminal.Flush);

    private static void Try(Action write)
    {
        try { write(); }
        catch (IOException) { }     // EIO: https://man7.org/linux/man-pages/man3/errno.3.html
    }
}
