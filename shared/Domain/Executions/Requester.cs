using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Tenants;
using ControlPlane.Text;

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

    /// <summary>The Slack user in whose name it runs; null where that is an operator.</summary>
    public virtual Slack? Asker => null;

    // What it prints is what it is made of: a Slack user's asker is that user, and would print itself for ever.
    protected virtual bool PrintMembers(StringBuilder builder) => false;

    public sealed record Slack(TeamId TeamId, UserId UserId, ChannelId ChannelId) : Requester
    {
        public const string Name = "slack";

        /// <summary>The workspace's organisation, where the app is installed for all of one: by its token the bot speaks.</summary>
        public TeamId? OrganisationId { get; init; }

        public override string Source => Name;

        public override bool IsToldInSlack => true;

        public override Slack Asker => this;
    }

    /// <summary>With <c>./ctl</c>, where its end is looked at too.</summary>
    public sealed record Operator(OperatorId Caller) : Requester
    {
        public const string Name = "operator";

        public override string Source => Name;

        public override bool IsToldInSlack => false;
    }

    /// <summary>A schedule, for whoever made it: a Slack user, or an operator, who may name somebody in Slack to be told.</summary>
    /// <param name="Caller">The operator who made it; null where a Slack user did.</param>
    /// <param name="TeamId">The workspace of those below.</param>
    /// <param name="UserId">Who made it and is told; where an operator made it, who is told alone.</param>
    /// <param name="ChannelId">Where a Slack user made it, and what is told where it is public.</param>
    public sealed record Schedule(ScheduleId ScheduleId, OperatorId? Caller, TeamId? TeamId, UserId? UserId, ChannelId? ChannelId) : Requester
    {
        public const string Name = "schedule";

        /// <inheritdoc cref="Slack.OrganisationId"/>
        public TeamId? OrganisationId { get; init; }

        public override string Source => Name;

        public override bool IsToldInSlack => TeamId is not null && (UserId is not null || ChannelId is not null);

        public override Slack? Asker => Caller is null ? AskerIn(TeamId, UserId, ChannelId) : null;

        private Slack? AskerIn(TeamId? team, UserId? user, ChannelId? channel) =>
            team is { } inTeam && user is { } by && channel is { } from ? new(inTeam, by, from) { OrganisationId = OrganisationId } : null;
    }
}

/// <summary><c>{"source":"slack","team_id":…,"user_id":…,"channel_id":…}</c>, with <c>organisation_id</c> where there is one,
/// <c>{"source":"operator","caller":…}</c>, or <c>{"source":"schedule","schedule_id":…}</c> with what is known of the others.</summary>
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
            // In nobody's name nothing runs.
            Requester.Schedule.Name when ScheduleId.TryParse(Text("schedule_id"), out var schedule)
                && new Requester.Schedule(schedule, Id<OperatorId>("caller"), Id<TeamId>("team_id"), Id<UserId>("user_id"), Id<ChannelId>("channel_id"))
                { OrganisationId = Id<TeamId>("organisation_id") } is var by && (by.Caller ?? (object?)by.Asker) is not null => by,
            _ => throw new JsonException("That is nobody who can ask for an execution."),
        };

        T? Id<T>(string name) where T : struct, ITextId<T> => TextId.TryParse<T>(Text(name), out var id) ? id : null;

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
            case Requester.Schedule schedule:
                writer.WriteString("schedule_id", schedule.ScheduleId.ToString());
                foreach (var (name, id) in (ReadOnlySpan<(string, string?)>)
                    [("caller", schedule.Caller?.ToString()), ("team_id", schedule.TeamId?.ToString()), ("user_id", schedule.UserId?.ToString()),
                        ("channel_id", schedule.ChannelId?.ToString()), ("organisation_id", schedule.OrganisationId?.ToString())])
                    if (id is not null)
                        writer.WriteString(name, id);
                break;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
        writer.WriteEndObject();
    }
}
