using System.Text.Json;
using ControlPlane.Tenants;

namespace ControlPlane.Orchestrator.Plans;

/// <summary>What will be run: the catalogue's entry, the inputs with their declared types, and until when.</summary>
internal sealed record Plan(StartRequest Request, Workflow Workflow, JsonElement Inputs, DateTimeOffset IssuedAt, DateTimeOffset DeadlineAt);

/// <summary>What came of planning.</summary>
internal abstract record Planning
{
    private Planning() { }

    public sealed record Ready(Plan Plan) : Planning;

    /// <param name="InPlainWords">What is wrong with the inputs, a sentence each. They may quote the user.</param>
    public sealed record Unusable(IReadOnlyList<string> InPlainWords) : Planning;
}

/// <summary>Turns a request and a workflow into a plan, without looking at anything else.</summary>
internal sealed class Planner(Uri outcomesUrl)
{
    /// <summary>The longest body that is dispatched.</summary>
    public const int LongestBody = 64 * 1024;

    // A callback token has about 550 characters.
    private const int RoomForToken = 1024;

    public Planning Plan(StartRequest request, Workflow workflow, DateTimeOffset now)
    {
        var (inputs, faults) = WorkflowInputs.Check(request.Inputs, workflow);
        if (faults.Count > 0)
            return new Planning.Unusable([.. faults.Select(fault => fault.InPlainWords)]);

        // From the request on: time spent waiting in our queues is not given on top.
        var plan = new Plan(request, workflow, inputs, now, request.RequestedAt + workflow.Deadline);
        return DispatchBody.Write(plan, outcomesUrl, callbackToken: "").Length + RoomForToken <= LongestBody
            ? new Planning.Ready(plan)
            : new Planning.Unusable([$"The inputs are too large: {LongestBody / 1024} KiB is the most that can be sent."]);
    }

    /// <summary>The bytes that the engine is sent.</summary>
    public byte[] BodyOf(Plan plan, string callbackToken)
    {
        if (callbackToken.Length > RoomForToken)
            throw new ArgumentException($"A callback token has at most {RoomForToken} characters.", nameof(callbackToken));
        return DispatchBody.Write(plan, outcomesUrl, callbackToken);
    }
}
