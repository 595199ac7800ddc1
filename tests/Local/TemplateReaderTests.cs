using System.Text.Json.Nodes;
using ControlPlane.Local.Panel;
using ControlPlane.Local.Template;
using ControlPlane.Tests.Cloud;
using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Local;

public sealed class TemplateReaderTests
{
    private static TemplateReader Template => LocalCloud.Template;

    [Fact]
    public void Every_function_has_a_handler_a_project_that_exists_and_something_that_starts_it()
    {
        var projects = Directory.GetDirectories(Path.Combine(RepositoryRoot.Find(), "functions")).Select(path => Path.GetFileName(path)).Order();
        Assert.Equal(projects, Template.Functions.Select(function => Path.GetFileName(function.Project)).Distinct().Order());
        Assert.All(Template.Functions, function =>
        {
            Assert.NotEmpty(function.Handler);
            Assert.NotEmpty(function.Events);
            Assert.True(Directory.Exists(Path.Combine(RepositoryRoot.Find(), function.Project)), function.Project);
        });
    }

    [Fact]
    public void Queues_come_with_their_order_visibility_and_dead_letters()
    {
        var requests = Template.Queues.Single(queue => queue.Id == "ExecutionRequestsQueue");
        Assert.True(requests.Fifo);
        Assert.Equal(new Redrive("ExecutionRequestsDeadLetters", 60), requests.Redrive);
        Assert.All(
            Template.Queues.Where(queue => queue.Redrive is not null),
            queue => Assert.Contains(Template.Queues, other => other.Id == queue.Redrive!.DeadLetters && other.Fifo == queue.Fifo));
    }

    [Fact]
    public void A_message_stays_invisible_for_longer_than_its_function_may_take()
    {
        foreach (var function in Template.Functions)
            foreach (var source in function.Events.OfType<TemplateEvent.Queue>())
                Assert.True(Template.Queues.Single(queue => queue.Id == source.QueueId).Visibility > function.Timeout, function.Id);
    }

    [Fact]
    public void Every_setting_of_every_function_has_a_value_on_this_machine()
    {
        var references = Template.Tables.Select(table => table.Id).Concat(Template.Queues.Select(queue => queue.Id)).Concat(Template.Secrets)
            .ToDictionary(id => id, id => $"local-{id}");
        references["OutcomesUrl"] = "http://127.0.0.1:8081/outcomes/execution";
        foreach (var (name, value) in PanelBalancer.Parameters)
            references[name] = value;
        var values = new TemplateValues(Template, references, new Dictionary<string, string>());

        foreach (var function in Template.Functions)
            foreach (var (name, value) in function.Environment)
                Assert.False(string.IsNullOrWhiteSpace(values.Resolve(value)), $"{function.Id} {name}");
        Assert.Equal("local-TenantsTable", values.Resolve(Template.Functions[0].Environment["TENANTS_TABLE"]));
    }

    [Theory]
    [InlineData("""{"Ref":"Stage"}""", "test")]
    [InlineData("""{"Ref":"Table"}""", "local-table")]
    [InlineData("""{"Ref":"AWS::Region"}""", "us-east-1")]
    [InlineData("""{"Fn::GetAtt":["Queue","Arn"]}""", "arn:queue")]
    [InlineData("""{"Fn::Sub":"${Table}/${Queue.Arn}/${!Literal}"}""", "local-table/arn:queue/${Literal}")]
    [InlineData("""{"Fn::Sub":["${Own}-${Stage}",{"Own":{"Ref":"Table"}}]}""", "local-table-test")]
    [InlineData("""{"Fn::Join":["-",["a",{"Ref":"Stage"}]]}""", "a-test")]
    [InlineData("""{"Fn::If":["IsTest",{"Ref":"Stage"},"other"]}""", "test")]
    [InlineData("""{"Fn::If":["IsNotTest","yes","no"]}""", "no")]
    [InlineData("60", "60")]
    public void Expressions_have_the_value_that_the_machine_gives_them(string expression, string value)
    {
        var values = Values();
        Assert.Equal(value, values.Resolve(JsonNode.Parse(expression)));
    }

    [Theory]
    [InlineData("""{"Ref":"Nobody"}""")]
    [InlineData("""{"Fn::GetAtt":["Table","Nothing"]}""")]
    [InlineData("""{"Fn::Select":["0",[]]}""")]
    public void What_cannot_be_resolved_is_said_and_not_guessed(string expression) =>
        Assert.Throws<FormatException>(() => Values().Resolve(JsonNode.Parse(expression)));

    private static TemplateValues Values() => new(
        TemplateReader.Parse("""
            {
              "Parameters": { "Stage": { "Type": "String", "Default": "test" } },
              "Conditions": {
                "IsTest": { "Fn::Equals": [ { "Ref": "Stage" }, "test" ] },
                "IsNotTest": { "Fn::Not": [ { "Condition": "IsTest" } ] }
              },
              "Resources": {}
            }
            """),
        new Dictionary<string, string> { ["Table"] = "local-table" },
        new Dictionary<string, string> { ["Queue.Arn"] = "arn:queue" });
}
