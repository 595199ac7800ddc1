using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Flows;

/// <summary>A search that finds nothing is worth what it would have found.</summary>
public sealed class KnownSecretsTests
{
    private const string Secret = "s3cr+t/of&the=house";

    public static TheoryData<string> Dresses => new(
        $"it is {Secret}.",
        $"url=https%3A%2F%2Fx%2F{Uri.EscapeDataString(Secret)}",
        Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Secret)),
        Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)),
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"a{Secret}")),
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"ab{Secret}cd")),
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"abcd {Secret} ef")).Replace('+', '-').Replace('/', '_'),
        new JsonObject { ["body"] = Secret }.ToJsonString(),
        new JsonObject { ["body"] = new JsonObject { ["text"] = $"so {Secret}" }.ToJsonString() }.ToJsonString());

    [Theory]
    [MemberData(nameof(Dresses))]
    public void A_planted_secret_is_found_in_whatever_dress(string text)
    {
        var secrets = new KnownSecrets();
        secrets.Add("another", "not this one at all");
        secrets.Add("the house's", Secret);

        Assert.StartsWith("the house's", Assert.Single(secrets.In(text).Select(found => found[..11]).Distinct()), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_secret_is_not_found()
    {
        var secrets = new KnownSecrets();
        secrets.Add("the house's", Secret);
        Assert.Empty(secrets.In("""{"level":"info","message":"s3cr+t of the house"}"""));
    }
}
