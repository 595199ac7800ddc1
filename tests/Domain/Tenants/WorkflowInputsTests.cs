using System.Text.Json;
using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Tenants;

public class WorkflowInputsTests
{
    private static readonly WorkflowParameter City = new("city", ParameterType.String, Required: true, MaxLength: 10);
    private static readonly WorkflowParameter Days = new("days", ParameterType.Integer, Minimum: 1, Maximum: 14);
    private static readonly WorkflowParameter Ratio = new("ratio", ParameterType.Number, Minimum: 0.5);
    private static readonly WorkflowParameter Dry = new("dry_run", ParameterType.Boolean);
    private static readonly WorkflowParameter Size = new("size", ParameterType.Enum, Values: ["small", "large"]);

    [Theory]
    [InlineData("""{"city":"Basel"}""", """{"city":"Basel"}""")]
    [InlineData("""{"days":"3","city":"Basel"}""", """{"city":"Basel","days":3}""")]
    [InlineData("""{"city":"Basel","days":3}""", """{"city":"Basel","days":3}""")]
    [InlineData("""{"city":"Basel","days":"1","ratio":"0.5","dry_run":"TRUE","size":"large"}""",
        """{"city":"Basel","days":1,"ratio":0.5,"dry_run":true,"size":"large"}""")]
    [InlineData("""{"city":"Basel","ratio":2e3,"dry_run":false}""", """{"city":"Basel","ratio":2000,"dry_run":false}""")]
    [InlineData("""{"city":"0123456789"}""", """{"city":"0123456789"}""")]
    public void Inputs_get_their_declared_types_in_the_declared_order(string given, string expected)
    {
        var (inputs, faults) = Check(given, City, Days, Ratio, Dry, Size);

        Assert.Empty(faults);
        Assert.Equal(expected, inputs.GetRawText());
    }

    [Theory]
    [InlineData("{}", "city is missing: it must be a text of at most 10 characters.")]
    [InlineData("""{"city":5}""", "city must be a text of at most 10 characters.")]
    [InlineData("""{"city":["Basel"]}""", "city must be a text of at most 10 characters.")]
    [InlineData("""{"city":"01234567890"}""", "city must be a text of at most 10 characters.")]
    [InlineData("""{"city":"\ud800"}""", "city must be a text of at most 10 characters.")]
    [InlineData("""{"city":"B","days":0}""", "days must be a whole number from 1 to 14.")]
    [InlineData("""{"city":"B","days":15}""", "days must be a whole number from 1 to 14.")]
    [InlineData("""{"city":"B","days":"3.0"}""", "days must be a whole number from 1 to 14.")]
    [InlineData("""{"city":"B","days":3.0}""", "days must be a whole number from 1 to 14.")]
    [InlineData("""{"city":"B","days":3e0}""", "days must be a whole number from 1 to 14.")]
    [InlineData("""{"city":"B","days":" 3"}""", "days must be a whole number from 1 to 14.")]
    [InlineData("""{"city":"B","days":"٣"}""", "days must be a whole number from 1 to 14.")]
    [InlineData("""{"city":"B","days":true}""", "days must be a whole number from 1 to 14.")]
    [InlineData("""{"city":"B","ratio":0.49}""", "ratio must be a number of at least 0.5.")]
    [InlineData("""{"city":"B","ratio":"NaN"}""", "ratio must be a number of at least 0.5.")]
    [InlineData("""{"city":"B","ratio":"Infinity"}""", "ratio must be a number of at least 0.5.")]
    [InlineData("""{"city":"B","ratio":1e400}""", "ratio must be a number of at least 0.5.")]
    [InlineData("""{"city":"B","ratio":"1,5"}""", "ratio must be a number of at least 0.5.")]
    [InlineData("""{"city":"B","dry_run":"maybe"}""", "dry_run must be yes or no.")]
    [InlineData("""{"city":"B","dry_run":1}""", "dry_run must be yes or no.")]
    [InlineData("""{"city":"B","size":"Large"}""", "size must be one of small, large.")]
    [InlineData("""{"city":"B","size":"medium"}""", "size must be one of small, large.")]
    [InlineData("""{"city":"B","citty":"x"}""", "wf_sched takes no citty. Did you mean city?")]
    [InlineData("""{"city":"B","colour":"x"}""", "wf_sched takes no colour. It takes city, days, ratio, dry_run, size.")]
    [InlineData("""{"city":"B","City":"x"}""", "wf_sched takes no City. Did you mean city?")]
    public void What_does_not_fit_is_named_with_what_was_expected(string given, string expected)
    {
        var (_, faults) = Check(given, City, Days, Ratio, Dry, Size);

        Assert.Equal([expected], faults);
    }

    [Theory]
    [InlineData("9007199254740991", true)]
    [InlineData("9007199254740992", false)]
    [InlineData("-9007199254740991", true)]
    [InlineData("-9007199254740992", false)]
    [InlineData("9223372036854775808", false)]
    public void Integers_stay_within_what_every_JSON_reader_keeps_exactly(string number, bool fits)
    {
        var parameter = new WorkflowParameter("n", ParameterType.Integer);

        foreach (var given in new[] { $$"""{"n":{{number}}}""", $$"""{"n":"{{number}}"}""" })
        {
            var (inputs, faults) = Check(given, parameter);
            Assert.Equal(fits, faults.Count == 0);
            if (fits)
                Assert.Equal($$"""{"n":{{number}}}""", inputs.GetRawText());
        }
    }

    [Fact]
    public void What_is_left_out_takes_its_default_and_a_default_is_held_to_its_type_as_well()
    {
        var good = new WorkflowParameter("days", ParameterType.Integer, Default: JsonDocument.Parse("7").RootElement);
        var bad = good with { Default = JsonDocument.Parse("\"seven\"").RootElement };

        Assert.Equal("""{"days":7}""", Check("{}", good).Inputs.GetRawText());
        Assert.Equal("""{"days":3}""", Check("""{"days":3}""", good).Inputs.GetRawText());
        Assert.Equal(["days must be a whole number."], Check("{}", bad).Faults);
    }

    [Fact]
    public void A_workflow_without_parameters_takes_none()
    {
        Assert.Equal("{}", Check("{}").Inputs.GetRawText());
        Assert.Equal(["wf_sched takes no x. It takes no inputs."], Check("""{"x":1}""").Faults);
    }

    [Fact]
    public void A_long_list_of_faults_is_cut_and_a_long_name_too()
    {
        var given = $$"""{{{string.Join(",", Enumerable.Range(0, 50).Select(i => $"\"{new string('x', 200)}{i}\":1"))}}}""";

        var (_, faults) = Check(given, City);

        Assert.Equal(5, faults.Count);
        Assert.All(faults, fault => Assert.InRange(fault.Length, 1, 150));
    }

    [Theory]
    [InlineData("yes", "true")]
    [InlineData("No", "false")]
    [InlineData("TRUE", "true")]
    [InlineData("false", "false")]
    public void A_yes_or_no_is_taken_in_the_words_in_which_it_is_asked_for(string typed, string expected)
    {
        var (inputs, faults) = Check($$"""{"city":"B","dry_run":"{{typed}}"}""", City, Dry);
        Assert.Empty(faults);
        Assert.Equal($$"""{"city":"B","dry_run":{{expected}}}""", inputs.GetRawText());
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\" \"")]
    [InlineData("\"\\u200b\"")]
    [InlineData("null")]
    public void What_is_required_and_given_nothing_is_missing(string given) =>
        Assert.Equal(["city is missing: it must be a text of at most 10 characters."], Check($$"""{"city":{{given}}}""", City).Faults);

    [Fact]
    public void What_is_not_required_may_be_an_empty_text() =>
        Assert.Equal("""{"note":""}""", Check("""{"note":""}""", new WorkflowParameter("note", ParameterType.String)).Inputs.GetRawText());

    private static (JsonElement Inputs, IReadOnlyList<string> Faults) Check(string given, params WorkflowParameter[] parameters)
    {
        var (inputs, faults) = WorkflowInputs.Check(JsonDocument.Parse(given).RootElement, new(
            WorkflowName.Parse("wf_sched"), WebhookPath.Of(WorkflowName.Parse("wf_sched")), parameters, Workflow.DefaultDeadline,
            Idempotent: false, Enabled: true, AllowedUsers: [], AllowedGroups: [], AllowedChannels: []));
        return (inputs, [.. faults.Select(fault => fault.InPlainWords)]);
    }
}
