using System.Diagnostics;
using System.Text;
using ControlPlane.Executions;
using ControlPlane.MeteringCollector.Outcomes;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>What n8n's workflow <c>control-plane: report</c> makes of a tenant's work, by the very expression that it imports, is an outcome that is
/// taken.</summary>
public sealed class N8nOutcomeTests
{
    private const int Random = 2_000;

    // Values by hand and at random, alone and in each place where one is looked for.
    private static readonly string Program = $$$"""
        const [report] = JSON.parse(require('fs').readFileSync(process.argv[1], 'utf8'))
        const expression = report.nodes.find(node => node.name === 'Outcome').parameters.jsonOutput
        const outcome = new Function('$', '$now', `return ${expression.slice('={{'.length, -'}}'.length)}`)
        const $now = { toUTC: () => ({ toISO: () => new Date().toISOString() }) }
        const order = { execution_id: 'exec_1', started_at: new Date().toISOString(), engine_execution_id: '7' }

        let seed = 1
        const below = most => (seed = (seed * 1103515245 + 12345) % 2147483648) % most
        const word = () => String.fromCharCode(...Array.from({ length: below(9) }, () => [below(128), 0xd800 + below(2048), below(65536)][below(3)]))
        const any = depth => [
          () => null, () => undefined, () => below(2) === 0, () => below(1000) - 500, () => 10 ** below(330), () => below(100) / 7, () => NaN, word,
          () => 'x'.repeat(2990 + below(20)) + '\u{1F600}'.repeat(9), () => `${below(1000)}`, () => new Date(below(1e9)), () => () => 1, () => 'y'.repeat(100000),
          () => depth > 3 ? 0 : Array.from({ length: below(4) }, () => any(depth + 1)),
          () => depth > 3 ? {} : Object.fromEntries(Array.from({ length: below(4) }, () => [names[below(names.length)], any(depth + 1)])),
        ][below(15)]()
        const names = ['summary', 'url', 'usage', 'error', 'message', 'cpu_ms', 'gpu_ms', 'input_tokens', 'output_tokens', 'order', 'status', 'progress', 'rows', '', '\ud800']
        const byHand = [undefined, null, true, false, 0, -0, -1, 1e12, 1e12 + 1, 1e300, NaN, Infinity, '', 'x', '\ud800', '\udc00x', '\0', [], [[]], [1, 'a'], {}, { a: null }, new Date(0)]
        let deep = 1
        for (let i = 0; i < 100; i++) deep = [deep]
        const places = value => [value, { summary: value }, { url: value }, { usage: value }, { usage: { cpu_ms: value, output_tokens: value } }, { summary: 's', error: value },
          { error: { message: value } }, { rows: value }]
        for (const work of [...byHand, deep, 'x'.repeat(5000)].flatMap(places).concat(Array.from({ length: {{{Random}}} }, () => any(0))))
          console.log(outcome(() => ({ first: () => ({ json: { order, status: 'ended', progress: '', work } }) }), $now))
        for (const progress of [...byHand.filter(one => one === undefined || one === null || one === ''), 0, 40, '40', 'half'])
          console.log(outcome(() => ({ first: () => ({ json: { order, status: 'running', progress, work: '' } }) }), $now))
        """;

    [Fact]
    public async Task A_value_of_any_type_from_Work_becomes_an_outcome_that_is_taken_whole()
    {
        Assert.SkipUnless(Script.Exists("node"), "node is not installed");
        var report = Path.Combine(RepositoryRoot.Find(), "data-plane/n8n/control-plane-report.json");
        using var node = Process.Start(new ProcessStartInfo("node", ["-e", Program, report]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = await Task.WhenAll(
            node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken),
            node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.Equal("", said[1]);
        var lines = said[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.True(lines.Length > Random);
        Assert.All(lines, line =>
        {
            Assert.True(Encoding.UTF8.GetByteCount(line) <= RecordOutcome.LargestBody, "It is larger than an outcome may be.");
            var read = Assert.IsType<OutcomeReading.Read>(OutcomeBody.Read(Encoding.UTF8.GetBytes(line)));
            Assert.Empty(read.Ignored);
            Assert.InRange(read.Outcome.Usage.CpuMs, 0, RecordOutcome.HighestUsage);
            Assert.InRange(read.Outcome.Usage.OutputTokens, 0, RecordOutcome.HighestUsage);
            Assert.True(read.Outcome.Status != OutcomeStatus.Failed || read.Outcome.Error?.Message is { Length: > 0 }, line);
        });
        Assert.Contains(lines, line => line.Contains("\"status\":\"failed\"", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("\"progress\":40", StringComparison.Ordinal));
    }
}
