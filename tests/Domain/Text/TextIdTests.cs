using System.Text.Json;
using ControlPlane.Audit;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Tests.Domain.Text;

/// <summary>Ids: each of one shape, and none by default.</summary>
public sealed class TextIdTests
{
    private const string Digits = "0123456789abcdef0123456789abcdef", Arn = "arn:aws:sts::123456789012:assumed-role/operator/jane@example.com";

    [Fact]
    public void An_id_is_its_text_and_nothing_around_it()
    {
        Holds<ExecutionId>("an execution id", [$"exec_{Digits}"], [$"exec_{Digits[1..]}", $"exec_{Digits}0", $"exec_{Digits.ToUpperInvariant()}", $"sch_{Digits}"]);
        Holds<ScheduleId>("a schedule id", [$"sch_{Digits}"], [$"sch_{Digits[1..]}", $"exec_{Digits}", $"sch_{Digits}0"]);
        Holds<TenantId>("a tenant id", ["tenant-1", "tenant-99", "tenant-156"], ["tenant-0", "tenant-01", "tenant-157", "Tenant-1", "tenant-"]);
        Holds<InstanceId>("an instance's name", ["i", "i-0abc", new('a', 64)], ["-i", "i_1", "i#1", new('a', 65)]);
        Holds<KeyId>("a key id", [new('A', 43), new('-', 43), new('_', 43)], [new('A', 42), new('A', 44), new('=', 43)]);
        Holds<TeamId>("a Slack team id", ["T1", "E0AZ9", new('T', 32)], ["t1", "T-1", new('T', 33)]);
        Holds<UserId>("a Slack user id", ["U1", new('U', 32)], ["u1", "U 1", new('U', 33)]);
        Holds<ChannelId>("a Slack channel id", ["C1", new('C', 32)], ["c1", "#C1", new('C', 33)]);
        Holds<WorkflowName>("a workflow name", ["wf_sched", "A-9", new('w', 64)], ["w.f", "w/f", "w f", new('w', 65)]);
        Holds<WebhookPath>("a webhook path", ["sched-v2", new('w', 64)], ["a/b", "..", "a%2e", new('w', 65)]);
        Holds<OperatorId>(
            "an operator", [Arn, "arn:aws-us-gov:iam::1:user/x", "local:jane", "local:" + new string('x', 1000)],
            ["local:", "jane", "arn:azure:x", "local:a b", "local:" + new string('x', 1001)]);
        Holds<Actor>("an actor", [Arn, "local:jane", "slack:T1/U1", "oidc:a|b"], ["slack:", "saml:x", "oidc:a b", "local:" + new string('x', 1001)]);
    }

    private static void Holds<T>(string kind, string[] ids, string[] others) where T : struct, ITextId<T>
    {
        foreach (var text in ids)
        {
            Assert.True(TextId.TryParse<T>(text, out var id), text);
            Assert.Equal((text, id), (id.ToString(), TextId.Parse<T>(text)));
        }
        foreach (var text in others.Append("").Concat(ids.SelectMany(one => new[] { one + "\n", " " + one, one + " " })))
        {
            Assert.False(TextId.TryParse<T>(text, out var none), text);
            Assert.Equal(default(T), none);
            Assert.Equal($"That is not {kind}.", Assert.Throws<FormatException>(() => TextId.Parse<T>(text)).Message);
        }
        Assert.False(TextId.TryParse<T>(null, out _));
        Assert.Equal($"default({typeof(T).Name}) is not {kind}.", Assert.Throws<InvalidOperationException>(() => default(T).ToString()).Message);
    }

    [Theory]
    [InlineData("\"T1\"", true), InlineData("\"t1\"", false), InlineData("1", false), InlineData("null", false), InlineData("[\"T1\"]", false)]
    public void In_JSON_it_is_a_string_of_its_shape(string json, bool isTaken)
    {
        var read = () => JsonSerializer.Deserialize($$"""{"team_id":{{json}},"user_id":"U1","at":"2026-11-22T12:00:00Z"}""", DomainJson.Default.Approval);
        if (isTaken)
            Assert.Contains("\"team_id\":\"T1\"", JsonSerializer.Serialize(read()!, DomainJson.Default.Approval), StringComparison.Ordinal);
        else
            Assert.Throws<JsonException>(read);
    }

    [Fact]
    public void What_people_type_of_an_id_are_its_first_eight_digits()
    {
        Assert.Equal((Digits, "01234567"), (ExecutionId.Parse($"exec_{Digits}").Digits, ExecutionId.Parse($"exec_{Digits}").Short));
        Assert.Equal((Digits, "01234567"), (ScheduleId.Parse($"sch_{Digits}").Digits, ScheduleId.Parse($"sch_{Digits}").Short));
    }

    [Theory]
    [InlineData("E1", true), InlineData("T1E", false)]
    public void An_organisation_is_no_workspace(string id, bool isEnterprise) => Assert.Equal(isEnterprise, TeamId.Parse(id).IsEnterprise);
}
