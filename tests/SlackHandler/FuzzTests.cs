using System.Text;
using Amazon.Lambda.APIGatewayEvents;

namespace ControlPlane.Tests.SlackHandler;

/// <summary>A hundred thousand requests that are nearly right.</summary>
public sealed class FuzzTests(SlackFixture world) : IClassFixture<SlackFixture>
{
    private const int Rounds = 100_000;

    private static readonly string[] Texts =
    [
        "run report x='a b' {\"c\": [1, \"2\"]} --public", "run wf_sched city=“New York” ‘{“days”: 3}’ —public", "status exec_00112233445566778899aabbccddeeff",
        "list 5", "cancel x", "",
    ];

    /// <remarks>Two thirds are bent after they were signed, the rest before, for a workspace that speaks for nobody: what is genuine is read and looked up, and
    /// still changes nothing.</remarks>
    [Fact]
    [Trait("Length", "long")]
    public async Task A_hundred_thousand_mutated_requests_change_nothing_and_break_nothing()
    {
        var before = await world.StateAsync();
        var function = world.NewFunction(new NoWorkspace());
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        var statuses = new Dictionary<int, int>();
        for (var round = 0; round < Rounds; round++)
        {
            var http = Mutated(random);
            int status;
            try
            {
                var answer = await function.RouteAsync(http, SlackFixture.Context);
                status = answer.StatusCode;
                if (status == 200 && answer.Body is { Length: > 0 })
                    Assert.Contains("\"ephemeral\"", answer.Body, StringComparison.Ordinal);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}, round {round}: {e}");
                throw;
            }
            Assert.True(status is >= 200 and < 500, $"seed {seed}, round {round}: {status}");
            statuses[status] = statuses.GetValueOrDefault(status) + 1;
        }

        Assert.Equal(before, await world.StateAsync());
        Assert.Empty(await world.OrdersAsync());
        foreach (var status in new[] { 200, 400, 401, 403, 404, 405, 413, 415 })
            Assert.True(statuses.ContainsKey(status), $"seed {seed}: {status} never came");
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", statuses.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}: {pair.Value}")));
    }

    private APIGatewayHttpApiV2ProxyRequest Mutated(Random random)
    {
        var form = new Dictionary<string, string>
        {
            ["team_id"] = "TNOBODY",
            ["user_id"] = "U1",
            ["channel_id"] = "C1",
            ["command"] = "/wf",
            ["text"] = Texts[random.Next(Texts.Length)],
            ["response_url"] = "https://hooks.slack.com/commands/1",
            ["trigger_id"] = "1.2.3",
        };
        var body = Workspace.Encode(form);
        if (random.Next(3) == 0)
            return world.Post(Bent(body, random));

        var http = world.Post(body);
        switch (random.Next(8))
        {
            case 0: http.Body = Convert.ToBase64String(Bent(body, random)); break;
            case 1: http.Body = Bent(http.Body!, random); break;
            case 2: (http.Body, http.IsBase64Encoded) = (Bent(Encoding.ASCII.GetString(body), random), false); break;
            case 3: http.RawPath = Bent(http.RawPath, random); break;
            case 4: http.RequestContext.Http.Method = random.Next(2) == 0 ? "PUT" : Bent("POST", random); break;
            case 5: http.Body = random.Next(50) == 0 ? new string('A', random.Next(80_000, 100_000)) : null; break;
            case 6: http.RequestContext.TimeEpoch = random.NextInt64(); break;
            default:
                var header = http.Headers!.Keys.ElementAt(random.Next(http.Headers.Count));
                http.Headers[header] = Bent(http.Headers[header], random);
                break;
        }
        return http;
    }

    private static string Bent(string text, Random random) => Encoding.UTF8.GetString(Bent(Encoding.UTF8.GetBytes(text), random));

    private static byte[] Bent(byte[] bytes, Random random)
    {
        var bent = bytes.ToList();
        for (var times = random.Next(1, 4); times > 0 && bent.Count > 0; times--)
        {
            var at = random.Next(bent.Count);
            var length = random.Next(1, Math.Min(12, bent.Count - at) + 1);
            switch (random.Next(5))
            {
                case 0: bent[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bent[at] = (byte)random.Next(256); break;
                case 2: bent.RemoveRange(at, length); break;
                case 3: bent.InsertRange(at, bent.GetRange(at, length)); break;
                default: bent.Insert(at, (byte)"&=%+\"'{}\\\0\n\u007f"[random.Next(12)]); break;
            }
        }
        return [.. bent];
    }
}
