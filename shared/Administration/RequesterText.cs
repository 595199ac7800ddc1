using System.Diagnostics;
using ControlPlane.Executions;

namespace ControlPlane.Administration;

/// <summary>Who asked for an execution, as operators read and type it.</summary>
public static class RequesterText
{
    extension(Requester requester)
    {
        /// <summary>Of an operator's ARN what is after the last slash: who they are to AWS's roles.</summary>
        public string InShort => requester switch
        {
            Requester.Slack slack => slack.UserId.ToString(),
            Requester.Operator by => by.Caller.ToString().Split('/')[^1],
            Requester.Schedule { Asker: { } asker } => $"{asker.InShort}, by schedule",
            Requester.Schedule { Caller: { } caller } => $"{caller.ToString().Split('/')[^1]}, by schedule",
            _ => throw new UnreachableException(),
        };

        public string InWords => requester switch
        {
            Requester.Slack slack => $"{slack.UserId} in {slack.ChannelId} of {slack.TeamId}",
            Requester.Operator by => by.Caller.ToString(),
            Requester.Schedule { Asker: { } asker } schedule => $"{asker.InWords}, by {schedule.ScheduleId}",
            Requester.Schedule { Caller: { } caller } schedule => $"{caller}, by {schedule.ScheduleId}",
            _ => throw new UnreachableException(),
        };

        /// <summary>Whether that is who somebody means by a Slack user (<c>U…</c>, <c>T…/U…</c>) or an operator.</summary>
        public bool IsCalled(string text) => requester switch
        {
            Requester.Slack slack => text == slack.UserId.ToString() || text == $"{slack.TeamId}/{slack.UserId}",
            Requester.Operator by => text == by.Caller.ToString(),
            Requester.Schedule { Asker: { } asker } => asker.IsCalled(text),
            Requester.Schedule { Caller: { } caller } => text == caller.ToString(),
            _ => false,
        };
    }
}
