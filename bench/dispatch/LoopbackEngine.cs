using System.Net;
using System.Net.Sockets;

namespace ControlPlane.Bench.Dispatch;

/// <summary>Answers every POST with 202 after a while. Says its port on standard output.</summary>
internal static class LoopbackEngine
{
    private static readonly byte[] Answer = "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"u8.ToArray();

    public static async Task ServeAsync(TimeSpan delay)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(512);
        Console.WriteLine(((IPEndPoint)listener.LocalEndPoint!).Port);
        while (true)
            _ = ServeAsync(await listener.AcceptAsync(), delay);
    }

    private static async Task ServeAsync(Socket socket, TimeSpan delay)
    {
        using (socket)
        {
            socket.NoDelay = true;
            var buffer = new byte[16 * 1024];
            for (var filled = 0; ;)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(filled));
                if (read == 0)
                    return;
                filled += read;
                if (!IsWhole(buffer.AsSpan(0, filled)))
                    continue;
                filled = 0;
                await Task.Delay(delay);
                await socket.SendAsync(Answer);
            }
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> request)
    {
        var end = request.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return false;
        var mark = request.IndexOf("Content-Length: "u8) + "Content-Length: "u8.Length;
        return System.Buffers.Text.Utf8Parser.TryParse(request[mark..], out int length, out _) && request.Length >= end + 4 + length;
    }
}
