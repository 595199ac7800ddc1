using System.Text;
using Amazon.Lambda.APIGatewayEvents;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.MeteringCollector;

/// <summary>Valid requests with something flipped, cut, repeated or swapped: only 4xx, no exception, no state. Signed anew or not.</summary>
public sealed class MutationTests(LocalCloud cloud)
{
    private const int Rounds = 20_000;

    [Fact]
    public async Task A_damaged_heartbeat_is_refused_cleanly()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var random = new Random(20260101);
        var sample = new Sample();
        var good = Encoding.UTF8.GetBytes(sample.ToString());
        for (var round = 0; round < Rounds; round++)
        {
            var request = desk.Sidecar.Request(sample.Id, good, Sample.Started + 60);
            var headers = new Dictionary<string, string>(request.Headers!);
            var where = random.Next(6);
            var name = new[] { "webhook-id", "webhook-timestamp", "webhook-signature", "x-dp-key-id", "Content-Type" }.ElementAtOrDefault(where);
            if (name is not null)
                headers[name] = Encoding.Latin1.GetString(Damage(Encoding.Latin1.GetBytes(headers[name]), random));
            else
                request.Body = Convert.ToBase64String(Damage(good, random));
            if (name is null ? request.Body == Convert.ToBase64String(good) : headers[name] == request.Headers![name])
                continue;                                   // swapped with its like
            request.MultiValueHeaders = headers.ToDictionary(header => header.Key, IList<string> (header) => [header.Value]);

            var answer = await desk.SendAsync(request);
            Assert.True(answer.Status is >= 400 and < 500 || IsHarmless(name, headers), $"round {round}: {name} {answer}");
        }
        Assert.All(await desk.RecordsAsync(), record => Assert.Equal(7500, record.Totals.CpuMs));
    }

    [Fact]
    public async Task A_damaged_body_that_is_signed_anew_gets_a_clean_answer()
    {
        var desk = await HeartbeatFixture.OpenAsync(cloud);
        var random = new Random(20260102);
        var good = Encoding.UTF8.GetBytes(new Sample().ToString());
        for (var round = 0; round < Rounds; round++)
        {
            var answer = await desk.SendAsync(desk.Sidecar.Request(new Sample().Id, Damage(good, random), Sample.Started + 60));
            Assert.True(answer.Status is 200 or (>= 400 and < 500), $"round {round}: {answer}");
        }
        Assert.DoesNotContain("heartbeat_failed", desk.Logged, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_outcome_gets_a_clean_answer()
    {
        var desk = await OutcomeFixture.OpenAsync(cloud);
        var job = await desk.StartAsync();
        var random = new Random(20260103);
        var good = Encoding.UTF8.GetBytes(OutcomeText.Running.For(job.Id));
        for (var round = 0; round < Rounds / 4; round++)
        {
            var token = random.Next(4) == 0 ? Encoding.Latin1.GetString(Damage(Encoding.Latin1.GetBytes(job.Token), random)) : job.Token;
            APIGatewayProxyRequest request = OutcomeFixture.Request($"Bearer {token}", Damage(good, random));
            var answer = await desk.SendAsync(request);
            Assert.True(answer.Status is 200 or (>= 400 and < 500), $"round {round}: {answer}");
        }
        Assert.DoesNotContain("outcome_failed", desk.Logged, StringComparison.Ordinal);
    }

    // A parameter behind the media type changes nothing.
    private static bool IsHarmless(string? name, Dictionary<string, string> headers) =>
        name == "Content-Type" && headers[name].Split(';')[0].Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase);

    private static byte[] Damage(byte[] bytes, Random random)
    {
        var damaged = bytes.ToList();
        for (var times = random.Next(1, 3); times > 0 && damaged.Count > 1; times--)
        {
            var at = random.Next(damaged.Count);
            switch (random.Next(4))
            {
                case 0: damaged[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: damaged.RemoveRange(at, random.Next(1, damaged.Count - at + 1)); break;
                case 2: damaged.InsertRange(at, damaged.GetRange(at, Math.Min(random.Next(1, 8), damaged.Count - at))); break;
                default:
                    var other = random.Next(damaged.Count);
                    (damaged[at], damaged[other]) = (damaged[other], damaged[at]);
                    break;
            }
        }
        return [.. damaged];
    }
}
