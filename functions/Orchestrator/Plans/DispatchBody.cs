using System.Buffers;
using System.Text.Json;
using ControlPlane.Executions;
using ControlPlane.Text;

namespace ControlPlane.Orchestrator.Plans;

/// <summary>The body of a dispatch, <c>dispatch.v1</c>. All of it is ASCII: other characters are escaped.</summary>
internal static class DispatchBody
{
    public static byte[] Write(Plan plan, Uri outcomesUrl, string callbackToken)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer))
        {
            var request = plan.Request;
            json.WriteStartObject();
            json.WriteString("schema", "dispatch.v1");
            json.WriteString("execution_id", request.Execution.ToString());
            json.WriteString("tenant_id", request.Tenant.ToString());
            json.WriteString("workflow", request.Workflow.ToString());
            json.WritePropertyName("requested_by");
            JsonSerializer.Serialize(json, ForEngines(request.RequestedBy), DomainJson.Default.Requester);
            json.WritePropertyName("inputs");
            plan.Inputs.WriteTo(json);
            json.WriteString("issued_at", Rfc3339.Format(plan.IssuedAt));
            json.WriteString("deadline_at", Rfc3339.Format(plan.DeadlineAt));
            json.WriteStartObject("callback");
            json.WriteString("url", outcomesUrl.OriginalString);
            json.WriteString("token", callbackToken);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    // Which organisation's token the bot speaks with is no business of the engine's.
    private static Requester ForEngines(Requester requester) => requester switch
    {
        Requester.Slack slack => slack with { OrganisationId = null },
        Requester.Schedule schedule => schedule with { OrganisationId = null },
        _ => requester,
    };
}
