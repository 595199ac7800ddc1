using System.Text.Json.Nodes;
using ControlPlane.Executions;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Flows.Simulated;

/// <summary>How an engine takes one execution.</summary>
internal enum Manner
{
    Fine, Fails,

    /// <summary>Its outcome is in before its answer is.</summary>
    ReportsBeforeItAnswers,

    /// <summary>It runs, and hangs up instead of answering.</summary>
    RunsAndHangsUp,

    /// <summary>It hangs up and runs nothing.</summary>
    HangsUp,

    /// <summary>It runs and answers 500.</summary>
    RunsAndBreaks,

    /// <summary>It runs, and its workflow answers with a refusal of its own.</summary>
    RunsAndRejects,

    /// <summary>Its workflow answers in plain text.</summary>
    AnswersInText,

    /// <summary>Not ready for its first posts: 503, 404, or the page it shows while it boots.</summary>
    Busy, NotFoundAtFirst, Booting,

    /// <summary>It will never take it.</summary>
    NeverFound, Forbids, Rejects,

    /// <summary>It runs and never reports.</summary>
    Silent,

    /// <summary>It reports the same outcome twice.</summary>
    ReportsTwice,

    /// <summary>It reports two outcomes that disagree.</summary>
    ReportsRivals,

    /// <summary>Its report comes after the deadline.</summary>
    ReportsLate,
}

/// <summary>An execution as the engine knows it.</summary>
internal sealed class Job(JsonNode order, string token, byte[] body, Manner manner, int unreadyPosts)
{
    public ExecutionId Execution { get; } = ExecutionId.Parse((string)order["execution_id"]!);
    public bool IsIdempotent { get; } = (string)order["workflow"]! == Simulation.Idempotent;
    public string CallbackToken { get; } = (string)order["callback"]!["token"]!;
    public DateTimeOffset DeadlineAt { get; } = (DateTimeOffset)order["deadline_at"]!;
    public string Token { get; } = token;
    public byte[] Body { get; } = body;
    public Manner Manner { get; } = manner;
    public int UnreadyPosts { get; } = unreadyPosts;
    public int Posts { get; set; }
    public int Runs { get; set; }
}

/// <summary>A tenant's engine on a real socket. It keeps account of what reached it.</summary>
internal sealed class SimulatedEngine : IAsyncDisposable
{
    private readonly Func<(Manner, int UnreadyPosts)> _manner;
    private readonly Func<Job, Task> _ranAsync;
    private readonly ScriptedEngine _server;

    /// <param name="manner">How it takes an execution it has not seen.</param>
    /// <param name="ranAsync">Called when it runs one, before it answers.</param>
    public SimulatedEngine(Func<(Manner, int UnreadyPosts)> manner, Func<Job, Task> ranAsync)
    {
        (_manner, _ranAsync) = (manner, ranAsync);
        _server = ScriptedEngine.Start(AnswerAsync);
    }

    public string Endpoint => _server.Address.ToString();

    public Dictionary<ExecutionId, Job> Jobs { get; } = [];

    /// <summary>What should never have reached it.</summary>
    public List<string> Complaints { get; } = [];

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(EngineConnection connection)
    {
        while (await connection.ReadRequestAsync() is { } request)
        {
            var job = JobOf(request);
            job.Posts++;
            if (job.Posts > job.UnreadyPosts || job.Manner is not (Manner.Busy or Manner.NotFoundAtFirst or Manner.Booting))
                await TakeAsync(connection, job);
            else if (job.Manner == Manner.Booting)
                await connection.WriteAsync(EngineConnection.Answer(200, "text/html", "n8n is starting up"));
            else
                await AnswerAsync(connection, job.Manner == Manner.Busy ? 503 : 404);
        }
    }

    private async Task TakeAsync(EngineConnection connection, Job job)
    {
        switch (job.Manner)
        {
            case Manner.NeverFound: await AnswerAsync(connection, 404); return;
            case Manner.Forbids: await AnswerAsync(connection, 403); return;
            case Manner.Rejects: await AnswerAsync(connection, 400); return;
            case Manner.HangsUp when job.Posts == 1: connection.Reset(); return;
        }
        if (job is { IsIdempotent: true, Runs: > 0 })
        {
            await AnswerAsync(connection, 409);
            return;
        }

        job.Runs++;
        if (job.Runs > 1)
            Complaints.Add($"I2: {job.Execution} ran {job.Runs} times.");
        await _ranAsync(job);
        if (job.Manner == Manner.RunsAndHangsUp)
            connection.Reset();
        else
            await AnswerAsync(connection, job.Manner);
    }

    private Job JobOf(EngineRequest request)
    {
        var token = request.Header("Authorization")!["Bearer ".Length..];
        var order = JsonNode.Parse(request.Body)!;
        var execution = ExecutionId.Parse((string)order["execution_id"]!);
        if (!Jobs.TryGetValue(execution, out var job))
        {
            var (manner, unready) = _manner();
            Jobs[execution] = job = new(order, token, request.Body, manner, unready);
        }
        if (job.Token != token || !job.Body.AsSpan().SequenceEqual(request.Body) || request.Header("Idempotency-Key") != execution.ToString())
            Complaints.Add($"I2: {execution} came again as something else.");
        return job;
    }

    private static Task AnswerAsync(EngineConnection connection, Manner manner) => manner switch
    {
        Manner.RunsAndBreaks => AnswerAsync(connection, 500),
        Manner.RunsAndRejects => AnswerAsync(connection, 422),
        Manner.AnswersInText => connection.WriteAsync(EngineConnection.Answer(202, "text/plain", "queued")),
        _ => AnswerAsync(connection, 200),
    };

    private static Task AnswerAsync(EngineConnection connection, int status) => connection.WriteAsync(EngineConnection.Answer(status, "application/json"));
}
