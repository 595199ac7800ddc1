using ControlPlane.Executions;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.DpDispatcher;

/// <summary>One dispatch, broken at every call to a table or queue in every way; then the message comes again until it is done.</summary>
[Trait("Length", "long")]
public sealed class CrashTests(LocalCloud cloud)
{
    [Theory]
    [InlineData(false), InlineData(true)]
    public async Task Whatever_breaks_the_engine_has_it_once_and_the_books_agree(bool idempotent)
    {
        await using var engine = ScriptedEngine.Answering(202);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var charged = 0L;
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            engine.Requests.Clear();
            var id = await PlayAsync(stage, seam, idempotent);
            var execution = await stage.ReadAsync(id);

            Assert.True(execution.State is ExecutionState.Dispatched or ExecutionState.DispatchUnknown, $"{name}: {execution.State}");
            Assert.True(engine.Requests.Count <= (idempotent ? 2 : 1), $"{name}: sent {engine.Requests.Count} times");
            Assert.Equal(++charged, await stage.ChargedAsync());

            // Only a process that died after it claimed leaves a doubt. Trouble with the tables alone must not.
            if (execution.State == ExecutionState.DispatchUnknown)
                Assert.True(seam.IsDead, name);
            else
                Assert.True(engine.Requests.Count >= 1, $"{name}: said to be dispatched, and never sent");
            if (idempotent)
                Assert.Equal(ExecutionState.Dispatched, execution.State);
            if (name.StartsWith(nameof(Fault.AnswerLost), StringComparison.Ordinal))
                Assert.Equal((ExecutionState.Dispatched, 1), (execution.State, engine.Requests.Count));
        });
        Assert.True(breaks >= 4 * FaultSeam.AllFaults.Count, $"only {breaks} breaks");
    }

    [Fact]
    public async Task Whatever_breaks_a_refused_execution_gives_its_reservation_back_once_and_its_user_is_told()
    {
        await using var engine = ScriptedEngine.Answering(403, contentType: null);
        using var stage = await DispatchFixture.SetAsync(cloud, ("tenant-43", engine));
        var charged = 0L;
        var breaks = await CrashPoints.ForEachAsync(async (seam, name) =>
        {
            engine.Requests.Clear();
            var id = await PlayAsync(stage, seam, idempotent: false);
            var execution = await stage.ReadAsync(id);
            Assert.True(engine.Requests.Count <= 1, $"{name}: sent {engine.Requests.Count} times");
            if (execution.State == ExecutionState.DispatchUnknown)
                charged++;                                  // the deadline will give it back
            else
            {
                Assert.True(execution is { State: ExecutionState.Failed, FailureCode: DispatchFailure.Unauthorized }, $"{name}: {execution.State}");
                Assert.Contains(id.ToString(), await stage.NotificationsAsync());
            }
            Assert.Equal(charged, await stage.ChargedAsync());
        });
        Assert.True(breaks >= 5 * FaultSeam.AllFaults.Count, $"only {breaks} breaks");
    }

    private async Task<ExecutionId> PlayAsync(DispatchFixture stage, FaultSeam seam, bool idempotent)
    {
        var id = await stage.QueueAsync(idempotent: idempotent);
        stage.Restart(seam.DynamoDb(stage.Tables.Endpoint), seam.Sqs(await cloud.QueueEndpointAsync()));
        var isDone = (await stage.DispatchAsync(id)).BatchItemFailures.Count == 0 && !seam.IsDead;
        for (var receives = 2; !isDone; receives++)
        {
            Assert.InRange(receives, 2, 6);
            stage.Clock.Advance(TimeSpan.FromSeconds(90));  // the queue's visibility time
            stage.Restart();
            isDone = (await stage.DispatchAsync(id, receives: receives)).BatchItemFailures.Count == 0;
        }
        return id;
    }
}
