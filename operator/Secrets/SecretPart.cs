using System.Security.Cryptography;
using ControlPlane.Secrets;
using ControlPlane.Slack;
using ControlPlane.Tokens;

namespace ControlPlane.Operator.Secrets;

/// <summary>Something that is rotated by itself: a member of one of the secrets.</summary>
/// <param name="Name">What the operator calls it.</param>
/// <param name="Secret">The secret, by its name in serverless.template.</param>
/// <param name="Overlap">How long the value before is honoured.</param>
/// <param name="Make">Null for one that somebody else makes.</param>
/// <param name="IsAlone">Whether the secret has no other parts, so that without it nothing of a generation is left.</param>
/// <param name="Next">What is to be done after a rotation.</param>
internal sealed record SecretPart(string Name, string Secret, string Member, TimeSpan Overlap, Func<string>? Make, bool IsAlone, string Next)
{
    public static readonly IReadOnlyList<SecretPart> All =
    [
        new("token-root", "TokenRootSecret", "root", RootSecret.Overlap, RandomBytes, IsAlone: true,
            "An engine that holds one key needs the new one when it begins to sign: ./ctl engine-key <tenant> says when."),
        new(
            "slack", "SlackSecret", "signing_secret", SlackSecret.Overlap, null, IsAlone: false,
            "The functions have it within five minutes, within half a minute of the first command that Slack signs with it."),
        new("reply-key", "SlackSecret", "response_url_key", SlackSecret.Overlap, RandomBytes, IsAlone: false, "Nothing else is to be done."),
        new(
            "origin", "SlackSecret", "origin_verify", SlackSecret.Overlap, RandomText, IsAlone: false,
            "Run infra/deploy-edge us-east-1 before the overlap ends."),
        new("client-id", "SlackSecret", "client_id", SlackSecret.Overlap, null, IsAlone: false, "The functions have it within five minutes."),
        new("client-secret", "SlackSecret", "client_secret", SlackSecret.Overlap, null, IsAlone: false, "The functions have it within five minutes."),
        new(
            "bot-token-key", "SlackSecret", "bot_token_key", SlackSecret.Overlap, RandomBytes, IsAlone: false,
            "In ten minutes, when every function has it, and before a day has passed: ./ctl slack reseal."),
    ];

    /// <summary>The parts of the same secret.</summary>
    public IEnumerable<SecretPart> Siblings => All.Where(part => part.Secret == Secret);

    /// <summary>Reads a value as the functions read it.</summary>
    /// <exception cref="FormatException">They would refuse it.</exception>
    public void Validate(StoredSecret value)
    {
        if (IsAlone)
            SecretGenerations.Read(value, RootSecret.Parse);
        else
            SecretGenerations.Read(value, SlackSecret.Parse);
    }

    private static string RandomBytes() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    private static string RandomText() => RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 48);
}
