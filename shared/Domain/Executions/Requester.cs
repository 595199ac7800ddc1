using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Tenants;

namespace ControlPlane.Executions;

/// <summary>Who asked for an execution, and from where.</summary>
[JsonConverter(typeof(RequesterConverter))]
public abstract record Requester
{
    private Requester() { }

    /// <summary>Its kind's name in tables, in messages and towards engines.</summary>
    public abstract string Source { get; }

    /// <summary>Whether somebody waits in Slack to be told how it ends.</summary>
    public abstract bool IsToldInSlack { get; }

    public sealed record Slack(TeamId TeamId, UserId UserId, ChannelId ChannelId) : Requester
    {
        public const string Name = "slack";

        /// <summary>The workspace's organisation, where the app is installed for all of one: by its token the bot speaks.</summary>
        public TeamId? OrganisationId { get; init; }

        public override string Source => Name;

        public override bool IsToldInSlack => true;
    }

    /// <summary>With <c>./ctl</c>, where its end is looked at too.</summary>
    public sealed record Operator(OperatorId Caller) : Requester
    {
        public const string Name = "operator";

        public override string Source => Name;

        public override bool IsToldInSlack => false;
    }
}

/// <summary><c>{"source":"slack","team_id":…,"user_id":…,"channel_id":…}</c>, with <c>organisation_id</c> where there is one, or <c>{"source":"operator","caller":…}</c>.</summary>
public sealed class RequesterConverter : JsonConverter<Requester>
{
    public override Requester Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var json = JsonElement.ParseValue(ref reader);
        return Text("source") switch
        {
            Requester.Slack.Name when TeamId.TryParse(Text("team_id"), out var team) && UserId.TryParse(Text("user_id"), out var user)
                && ChannelId.TryParse(Text("channel_id"), out var channel) => new Requester.Slack(team, user, channel)
            { OrganisationId = TeamId.TryParse(Text("organisation_id"), out var organisation) ? organisation : null },
            Requester.Operator.Name when OperatorId.TryParse(Text("caller"), out var caller) => new Requester.Operator(caller),
            _ => throw new JsonException("That is nobody who can ask for an execution."),
        };

        string? Text(string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
    }

    public override void Write(Utf8JsonWriter writer, Requester value, JsonSerializerOptions options)
    {
        writer.WriteStartObject();
        writer.WriteString("source", value.Source);
        switch (value)
        {
            case Requester.Slack slack:
                writer.WriteString("team_id", slack.TeamId.ToString());
                writer.WriteString("user_id", slack.UserId.ToString());
                writer.WriteString("channel_id", slack.ChannelId.ToString());
                if (slack.OrganisationId is { } organisation)
                    writer.WriteString("organisation_id", organisation.ToString());
                break;
            case Requester.Operator by:
                writer.WriteString("caller", by.Caller.ToString());
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
        writer.WriteEndObject();
    }
}
