using System.Text;
using System.Text.Json;
using Amazon.Lambda.Core;
using Amazon.Lambda.RuntimeSupport;
using Amazon.Lambda.Serialization.SystemTextJson;
using Event = ControlPlane.Tests.AwsCompat.LoopbackRuntimeApi.Event;

namespace ControlPlane.Tests.AwsCompat;

/// <summary>A function in this process, driven over HTTP.</summary>
[Collection("the environment's trace id")]
public sealed class RuntimeApiTests : IAsyncLifetime
{
    private static readonly SourceGeneratorLambdaJsonSerializer<ProbeJson> Json = new();

    private readonly LoopbackRuntimeApi _api = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).WaitAsync(TimeSpan.FromSeconds(60))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await _api.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task An_event_is_answered_with_what_the_handler_returns()
    {
        Run(LambdaBootstrapBuilder.Create<Question, Answer>((question, _) => Task.FromResult(new Answer(question.Text + "!")), Json));
        _api.Send(new Event("id-1", """{"text":"hello"}"""));

        var report = await _api.ReportAsync();
        Assert.Equal("/2018-06-01/runtime/invocation/id-1/response", report.Path);
        Assert.Equal("""{"Text":"hello!"}""", report.Body);
        Assert.Equal("application/json", report.ContentType);
        Assert.Null(report.ErrorType);
    }

    [Fact]
    public async Task A_stream_is_answered_with_a_stream()
    {
        Run(LambdaBootstrapBuilder.Create((Stream body, ILambdaContext _) => Task.FromResult(body)));
        _api.Send(new Event("id-1", "any bytes, ü"));

        Assert.Equal("any bytes, ü", (await _api.ReportAsync()).Body);
    }

    [Fact]
    public async Task A_handler_without_a_result_gives_an_empty_answer()
    {
        string? seen = null;
        Run(LambdaBootstrapBuilder.Create<Question>((question, _) => { seen = question.Text; return Task.CompletedTask; }, Json));
        _api.Send(new Event("id-1", """{"text":"hello"}"""));

        var report = await _api.ReportAsync();
        Assert.EndsWith("/id-1/response", report.Path);
        Assert.Equal("", report.Body);
        Assert.Equal("hello", seen);
    }

    [Fact]
    public async Task The_context_carries_what_the_headers_say()
    {
        ILambdaContext? context = null;
        string? traceId = null;
        TimeSpan remaining = default;
        Run(LambdaBootstrapBuilder.Create(seen =>
        {
            (context, traceId, remaining) = (seen, Environment.GetEnvironmentVariable("_X_AMZN_TRACE_ID"), seen.RemainingTime);
            return Task.CompletedTask;
        }));
        var deadline = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + 60_000);
        _api.Send(new Event("id-1", "{}")
        {
            Headers =
            {
                ["Lambda-Runtime-Deadline-Ms"] = $"{deadline.ToUnixTimeMilliseconds()}",
                ["Lambda-Runtime-Cognito-Identity"] = """{"cognitoIdentityId":"who","cognitoIdentityPoolId":"pool"}""",
                ["Lambda-Runtime-Client-Context"] = """{"client":{"app_title":"title"},"custom":{"a":"b"},"env":{"c":"d"}}""",
            },
        });

        await _api.ReportAsync();
        Assert.Equal("id-1", context!.AwsRequestId);
        Assert.Equal("arn:aws:lambda:us-east-1:123456789012:function:probe", context.InvokedFunctionArn);
        Assert.InRange(remaining, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
        Assert.Equal("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1", traceId);
        Assert.Equal(traceId, context.TraceId);
        Assert.Equal("pool", context.Identity!.IdentityPoolId);
        Assert.Equal("title", context.ClientContext!.Client.AppTitle);
        Assert.Equal("b", context.ClientContext.Custom["a"]);
        Assert.Equal("d", context.ClientContext.Environment["c"]);
    }

    [Fact]
    public async Task An_event_without_a_trace_id_does_not_inherit_the_one_before()
    {
        var seen = new List<string?>();
        Run(LambdaBootstrapBuilder.Create(() =>
        {
            seen.Add(Environment.GetEnvironmentVariable("_X_AMZN_TRACE_ID"));
            return Task.CompletedTask;
        }));
        _api.Send(new Event("id-1", "{}"), new Event("id-2", "{}") { Headers = [] });

        await _api.ReportAsync();
        await _api.ReportAsync();
        Assert.NotNull(seen[0]);
        Assert.Null(seen[1]);
    }

    [Fact]
    public async Task A_handlers_exception_is_reported_and_the_next_event_is_served()
    {
        Run(LambdaBootstrapBuilder.Create<Question, Answer>(
            async (question, _) =>
            {
                await Task.Yield();
                return question.Text == "bad" ? throw new InvalidOperationException("no \"such\" thing", new TimeoutException("too slow")) : new Answer("fine");
            },
            Json));
        _api.Send(new Event("id-1", """{"text":"bad"}"""), new Event("id-2", """{"text":"good"}"""));

        var error = await _api.ReportAsync();
        Assert.Equal("/2018-06-01/runtime/invocation/id-1/error", error.Path);
        Assert.Equal("InvalidOperationException", error.ErrorType);
        Assert.Equal("application/vnd.aws.lambda.error+json", error.ContentType);
        using var body = JsonDocument.Parse(error.Body);
        Assert.Equal("InvalidOperationException", body.RootElement.GetProperty("errorType").GetString());
        Assert.Equal("no \"such\" thing", body.RootElement.GetProperty("errorMessage").GetString());
        Assert.Contains(nameof(A_handlers_exception_is_reported_and_the_next_event_is_served), body.RootElement.GetProperty("stackTrace")[0].GetString());
        Assert.Equal("TimeoutException", body.RootElement.GetProperty("cause").GetProperty("errorType").GetString());

        Assert.EndsWith("/id-2/response", (await _api.ReportAsync()).Path);
    }

    [Fact]
    public async Task Each_of_several_causes_is_reported()
    {
        Run(LambdaBootstrapBuilder.Create(() => throw new AggregateException("two at once", new TimeoutException("too slow"),
            new NotSupportedException("not here"))));
        _api.Send(new Event("id-1", "{}"));

        using var body = JsonDocument.Parse((await _api.ReportAsync()).Body);
        Assert.Equal("TimeoutException", body.RootElement.GetProperty("cause").GetProperty("errorType").GetString());
        Assert.Equal(
            ["too slow", "not here"], body.RootElement.GetProperty("causes").EnumerateArray().Select(cause => cause.GetProperty("errorMessage").GetString()));
        Assert.False(body.RootElement.GetProperty("cause").TryGetProperty("stackTrace", out _));
    }

    [Fact]
    public async Task A_handler_that_throws_before_its_first_await_is_no_different()
    {
        Run(LambdaBootstrapBuilder.Create<Question>(ThrowAtOnce, Json));
        _api.Send(new Event("id-1", "{}"), new Event("id-2", "{}"));

        Assert.Equal("NotSupportedException", (await _api.ReportAsync()).ErrorType);
        Assert.EndsWith("/id-2/error", (await _api.ReportAsync()).Path);

        static Task ThrowAtOnce(Question question, ILambdaContext context) => throw new NotSupportedException("at once");
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"text":""")]
    [InlineData("""{"text":7}""")]
    [InlineData("")]
    public async Task An_event_that_does_not_fit_is_reported_and_the_next_one_is_served(string misfit)
    {
        Run(LambdaBootstrapBuilder.Create<Question, Answer>((_, _) => Task.FromResult(new Answer("fine")), Json));
        _api.Send(new Event("id-1", misfit), new Event("id-2", "{}"));

        Assert.Equal("JsonSerializerException", (await _api.ReportAsync()).ErrorType);
        Assert.EndsWith("/id-2/response", (await _api.ReportAsync()).Path);
    }

    [Fact]
    public async Task An_answer_that_cannot_be_written_is_reported_and_leaves_nothing_in_the_next_answer()
    {
        Run(LambdaBootstrapBuilder.Create<Question, IEnumerable<string>>((question, _) => Task.FromResult(Texts(question.Text == "bad")), Json));
        _api.Send(new Event("id-1", """{"text":"bad"}"""), new Event("id-2", "{}"));

        Assert.Equal("JsonSerializerException", (await _api.ReportAsync()).ErrorType);
        Assert.Equal("""["fine"]""", (await _api.ReportAsync()).Body);

        static IEnumerable<string> Texts(bool bad)
        {
            yield return "fine";
            if (bad)
                throw new InvalidOperationException("in the middle of writing");
        }
    }

    [Fact]
    public async Task An_answer_whose_type_the_context_does_not_know_is_reported()
    {
        Run(LambdaBootstrapBuilder.Create<Question, Unknown>((_, _) => Task.FromResult(new Unknown("x")), Json));
        _api.Send(new Event("id-1", "{}"));

        var report = await _api.ReportAsync();
        Assert.Equal("JsonSerializerException", report.ErrorType);
        Assert.Contains("JsonSerializable(typeof(Unknown))", report.Body);
    }

    [Fact]
    public async Task An_answer_whose_connection_is_cut_ends_the_process()
    {
        using var api = new CuttingRuntimeApi();
        using var bootstrap = LambdaBootstrapBuilder.Create((Stream _) => Task.FromResult<Stream>(new MemoryStream(new byte[5_000_000])))
            .ConfigureOptions(options => options.RuntimeApiEndpoint = api.Endpoint).Build();

        await Assert.ThrowsAsync<HttpRequestException>(
            () => bootstrap.RunAsync(_stop.Token).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_handler_may_dispose_and_return_what_it_was_given()
    {
        Run(LambdaBootstrapBuilder.Create(async (Stream body) =>
        {
            using var reader = new StreamReader(body);
            return (Stream)new MemoryStream(Encoding.UTF8.GetBytes((await reader.ReadToEndAsync()).ToUpperInvariant()));
        }));
        _api.Send(new Event("id-1", "one"), new Event("id-2", "two"));

        Assert.Equal("ONE", (await _api.ReportAsync()).Body);
        Assert.Equal("TWO", (await _api.ReportAsync()).Body);
    }

    [Theory]
    [InlineData("/next", 403)]
    [InlineData("/next", 500)]
    [InlineData("/response", 400)]
    [InlineData("/response", 413)]
    [InlineData("/response", 500)]
    [InlineData("/error", 400)]
    [InlineData("/error", 500)]
    public async Task A_refusal_of_the_runtime_api_ends_the_process(string where, int status)
    {
        _api.Status = path => path.EndsWith(where) ? status : null;
        _api.Send(new Event("id-1", "one"), new Event("id-2", "two"));

        var running =
            RunToEndAsync(LambdaBootstrapBuilder.Create((Stream body,
                ILambdaContext _) => where == "/error" ? throw new InvalidOperationException("no") : Task.FromResult(body)));
        var error = await Assert.ThrowsAsync<RuntimeApiClientException>(
            () => running.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
        Assert.Equal(status, error.StatusCode);
        Assert.Contains(where, error.Message);
        Assert.Equal(1, _api.NextCalls);
    }

    [Fact]
    public async Task A_failed_initializer_is_reported_and_no_event_is_asked_for()
    {
        var running = RunToEndAsync(LambdaBootstrapBuilder.Create(() => Task.CompletedTask)
            .UseBootstrapHandler(() => throw new InvalidOperationException("TENANTS_TABLE is not set.")));

        var report = await _api.ReportAsync();
        Assert.Equal("/2018-06-01/runtime/init/error", report.Path);
        Assert.Null(report.ErrorType);
        Assert.Contains("InvalidOperationException", report.Body);
        Assert.Contains("TENANTS_TABLE is not set.", report.Body);
        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(() => running);
        Assert.Equal("TENANTS_TABLE is not set.", thrown.Message);
        Assert.Equal(0, _api.NextCalls);
    }

    [Fact]
    public async Task An_initializer_that_says_no_ends_the_process_quietly()
    {
        await RunToEndAsync(LambdaBootstrapBuilder.Create(() => Task.CompletedTask).UseBootstrapHandler(() => Task.FromResult(false)));

        Assert.Equal(0, _api.NextCalls);
        Assert.False(_api.HasReports);
    }

    [Fact]
    public async Task The_initializer_is_done_before_the_first_event_is_asked_for()
    {
        var nextCalls = -1;
        Run(LambdaBootstrapBuilder.Create(() => Task.CompletedTask).UseBootstrapHandler(async () =>
        {
            await Task.Yield();
            nextCalls = _api.NextCalls;
            return true;
        }));
        _api.Send(new Event("id-1", "{}"));

        Assert.EndsWith("/id-1/response", (await _api.ReportAsync()).Path);
        Assert.Equal(0, nextCalls);
    }

    [Fact]
    public async Task Cancelling_while_no_event_is_there_ends_the_loop()
    {
        var running = RunToEndAsync(LambdaBootstrapBuilder.Create(() => Task.CompletedTask));
        _api.Send(new Event("id-1", "{}"));
        await _api.ReportAsync();

        await _stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Cancelling_during_an_event_lets_it_be_answered_first()
    {
        var (started, proceed) = (new TaskCompletionSource(), new TaskCompletionSource());
        var running = RunToEndAsync(LambdaBootstrapBuilder.Create(async (Stream body, ILambdaContext _) =>
        {
            started.SetResult();
            await proceed.Task;
            return body;
        }));
        _api.Send(new Event("id-1", "one"), new Event("id-2", "two"));
        await started.Task;

        await _stop.CancelAsync();
        proceed.SetResult();

        Assert.Equal("one", (await _api.ReportAsync()).Body);
        await running.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.False(_api.HasReports);
        Assert.Equal(1, _api.NextCalls);
    }

    [Fact]
    public async Task A_large_event_and_a_small_one_after_it_are_kept_apart()
    {
        Run(LambdaBootstrapBuilder.Create((Stream body, ILambdaContext _) => Task.FromResult(body)));
        var large = new string('x', 5_000_000);
        _api.Send(new Event("id-1", large), new Event("id-2", "small"), new Event("id-3", "smaller still"[..7]));

        Assert.Equal(large, (await _api.ReportAsync()).Body);
        Assert.Equal("small", (await _api.ReportAsync()).Body);
        Assert.Equal("smaller", (await _api.ReportAsync()).Body);
    }

    [Fact]
    public async Task An_exception_of_any_name_and_length_can_be_reported()
    {
        Run(LambdaBootstrapBuilder.Create(() => Task.FromException(new ÄrgerlicheAusnahme(new string('ß', 2_000_000)))));
        _api.Send(new Event("id-1", "{}"));

        var report = await _api.ReportAsync();
        Assert.True(Encoding.UTF8.GetByteCount(report.Body) < 256 * 1024);
        using var body = JsonDocument.Parse(report.Body);
        Assert.Equal(nameof(ÄrgerlicheAusnahme), body.RootElement.GetProperty("errorType").GetString());
    }

    [Fact]
    public void Without_a_runtime_api_nothing_is_built()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API") is not null, "AWS_LAMBDA_RUNTIME_API is set here");

        var error = Assert.Throws<InvalidOperationException>(() => LambdaBootstrapBuilder.Create(() => Task.CompletedTask).Build());
        Assert.Contains("AWS_LAMBDA_RUNTIME_API", error.Message);
    }

    private void Run(LambdaBootstrapBuilder lambda) => _ = RunToEndAsync(lambda);

    private Task RunToEndAsync(LambdaBootstrapBuilder lambda)
    {
        var bootstrap = lambda.ConfigureOptions(options => options.RuntimeApiEndpoint = _api.Endpoint).Build();
        var running = bootstrap.RunAsync(_stop.Token);
        _running.Add(running);
        return running;
    }

    private sealed class ÄrgerlicheAusnahme(string message) : Exception(message);
}
