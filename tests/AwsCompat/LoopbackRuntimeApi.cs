using System.Net;
using System.Text;
using System.Threading.Channels;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.AwsCompat;

/// <summary>Lambda's Runtime API on 127.0.0.1: hands out the events it is given and keeps what comes back.</summary>
internal sealed class LoopbackRuntimeApi : IAsyncDisposable
{
    private readonly Channel<Event> _events = Channel.CreateUnbounded<Event>();
    private readonly Channel<Report> _reports = Channel.CreateUnbounded<Report>();
    private readonly LoopbackServer _server;

    public LoopbackRuntimeApi() => _server = new LoopbackServer(AnswerAsync);

    /// <summary>Host and port, as <c>AWS_LAMBDA_RUNTIME_API</c> has it.</summary>
    public string Endpoint => _server.Endpoint;

    /// <summary>The status for a request, by its path; 202 when null.</summary>
    public Func<string, int?> Status { get; set; } = _ => null;

    public int NextCalls { get; private set; }

    public void Send(params Event[] events)
    {
        foreach (var e in events)
            Assert.True(_events.Writer.TryWrite(e));
    }

    /// <summary>The next thing that the function said about itself or an event.</summary>
    public async Task<Report> ReportAsync() =>
        await _reports.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    public bool HasReports => _reports.Reader.Count > 0;

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpListenerContext http, CancellationToken stopped)
    {
        var path = http.Request.Url!.AbsolutePath;
        var status = Status(path);
        if (path == "/2018-06-01/runtime/invocation/next")
        {
            NextCalls++;
            if (status is null)
            {
                await HandOutAsync(http.Response, stopped);
                return;
            }
        }
        else
        {
            using var reader = new StreamReader(http.Request.InputStream, Encoding.UTF8);
            _reports.Writer.TryWrite(
                new(path, await reader.ReadToEndAsync(stopped), http.Request.ContentType, http.Request.Headers["Lambda-Runtime-Function-Error-Type"]));
        }
        http.Response.StatusCode = status ?? 202;
        http.Response.Close("""{"status":"OK"}"""u8.ToArray(), willBlock: false);
    }

    private async Task HandOutAsync(HttpListenerResponse response, CancellationToken stopped)
    {
        var e = await _events.Reader.ReadAsync(stopped);
        response.Headers["Lambda-Runtime-Aws-Request-Id"] = e.Id;
        foreach (var (name, value) in e.Headers)
            response.Headers[name] = value;
        response.ContentType = "application/json";
        response.Close(Encoding.UTF8.GetBytes(e.Body), willBlock: false);
    }

    internal sealed record Event(string Id, string Body)
    {
        public Dictionary<string, string> Headers { get; init; } = new()
        {
            ["Lambda-Runtime-Deadline-Ms"] = "4102444800000",
            ["Lambda-Runtime-Invoked-Function-Arn"] = "arn:aws:lambda:us-east-1:123456789012:function:probe",
            ["Lambda-Runtime-Trace-Id"] = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        };
    }

    internal sealed record Report(string Path, string Body, string? ContentType, string? ErrorType);
}
