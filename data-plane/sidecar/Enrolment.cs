using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace ControlPlane.Sidecar;

/// <summary>Has this machine's key registered by the control plane, so that nobody copies it: shown to be the tenant's by a one-time code, or by AWS.</summary>
internal sealed class Enrolment(SidecarOptions options, SigningKey key, TextWriter output, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    /// <returns>Whether the key is registered.</returns>
    public async Task<bool> RunAsync(CancellationToken stop)
    {
        using var http = ControlPlaneHttp.Client(options.SourceAddress);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            while (true)
            {
                if (await TryAsync(http, patience.Token) is { } isDone)
                    return isDone;
                await Task.Delay(Pause, clock, patience.Token);
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <returns>Null when the same can succeed later.</returns>
    private async Task<bool?> TryAsync(HttpClient http, CancellationToken stop)
    {
        try
        {
            // Each attempt is a request of its own: its time is part of its id.
            var now = clock.GetUtcNow();
            var body = JsonSerializer.SerializeToUtf8Bytes(
                new("enrol.v1", options.Tenant, options.Instance, key.PublicKeyText), EnrolmentJson.Default.EnrolmentRequest);
            using var request = new HttpRequestMessage(HttpMethod.Post, options.Urls[0].Of("metering/keys"))
            {
                Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
            };
            var id = string.Create(CultureInfo.InvariantCulture, $"enrol_{options.Instance}_{now.ToUnixTimeSeconds()}");
            foreach (var (name, value) in SignedHeaders.Of(id, now, body, [key]))
                request.Headers.TryAddWithoutValidation(name, value);
            if (options.EnrolBy == SidecarOptions.ByAws)
            {
                var credentials = await InstanceCredentials.ReadAsync(stop);
                var signed = credentials.SignCallerIdentity(now, AwsChallenge.Of(key, options.Tenant, options.Instance));
                request.Headers.TryAddWithoutValidation("x-dp-aws-identity", Convert.ToBase64String(Encoding.ASCII.GetBytes(signed)));
            }
            else
            {
                request.Headers.TryAddWithoutValidation("x-dp-invite", options.EnrolBy);
            }

            using var answer = await http.SendAsync(request, stop);
            var said = await answer.Content.ReadAsByteArrayAsync(stop);
            if ((int)answer.StatusCode is 200 or 201)
            {
                output.WriteLine($"enrolled instance={options.Instance} tenant={options.Tenant} key={key.KeyId}");
                return true;
            }
            output.WriteLine($"not enrolled: {(int)answer.StatusCode} {ProblemOf(said)}");
            return (int)answer.StatusCode is 429 or >= 500 ? null : false;
        }
        catch (HttpRequestException e)
        {
            output.WriteLine($"not enrolled: {e.Message}");
            return null;
        }
    }

    private static string ProblemOf(byte[] body)
    {
        try
        {
            var problem = JsonSerializer.Deserialize(body, EnrolmentJson.Default.EnrolmentProblem);
            return $"{problem?.Code}: {problem?.Detail}".ReplaceLineEndings(" ");
        }
        catch (JsonException)
        {
            return "";
        }
    }
}

internal sealed record EnrolmentRequest(string Schema, string TenantId, string InstanceId, string PublicKey);

internal sealed record EnrolmentProblem(string? Code, string? Detail);

[System.Text.Json.Serialization.JsonSourceGenerationOptions(PropertyNamingPolicy = System.Text.Json.Serialization.JsonKnownNamingPolicy.SnakeCaseLower)]
[System.Text.Json.Serialization.JsonSerializable(typeof(EnrolmentRequest))]
[System.Text.Json.Serialization.JsonSerializable(typeof(EnrolmentProblem))]
internal sealed partial class EnrolmentJson : System.Text.Json.Serialization.JsonSerializerContext;
