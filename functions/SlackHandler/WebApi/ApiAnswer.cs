using System.Collections.Frozen;

namespace ControlPlane.SlackHandler.WebApi;

/// <summary>What Slack's Web API made of a call that answers with a <typeparamref name="T"/>.</summary>
internal abstract record ApiAnswer<T>
{
    private ApiAnswer() { }

    /// <summary>The next call, with what this one gave; where it gave nothing, the same as an answer to that.</summary>
    public async Task<ApiAnswer<TNext>> ThenAsync<TNext>(Func<T, Task<ApiAnswer<TNext>>> next) => this switch
    {
        Done { Value: var value } => await next(value),
        Refused { Why: var why } => new ApiAnswer<TNext>.Refused(why),
        TryLater later => new ApiAnswer<TNext>.TryLater(later.Why, later.Pause),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>What Slack said instead of doing it; null when it is done.</summary>
    public string? Fault => this switch
    {
        Done => null,
        Refused { Why: var why } => why,
        TryLater { Why: var why } => why,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    public sealed record Done(T Value) : ApiAnswer<T>;

    /// <summary>Slack said no, and would again.</summary>
    /// <param name="Why">Its word for it, such as <c>channel_not_found</c>; its status where it said none.</param>
    public sealed record Refused(string Why) : ApiAnswer<T>
    {
        /// <summary>The token is not one any more: the app was removed, or the token withdrawn.</summary>
        public bool IsOfTheToken => ApiWords.OfTheToken.Contains(Why);

        /// <summary>Slack minds how the message is made, not where it goes: without its blocks it may pass.</summary>
        public bool IsOfTheForm => ApiWords.OfTheForm.Contains(Why);
    }

    /// <summary>Slack is busy or in trouble, or did not answer in time.</summary>
    /// <param name="Pause">What Slack asked for, within bounds; null when it did not.</param>
    public sealed record TryLater(string Why, TimeSpan? Pause) : ApiAnswer<T>;
}

/// <summary>Slack's words: https://docs.slack.dev/reference/methods/chat.postMessage#errors</summary>
internal static class ApiWords
{
    public static readonly FrozenSet<string> OfTheToken = FrozenSet.Create(
        "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "org_login_required", "team_access_not_granted");

    public static readonly FrozenSet<string> OfTheForm = FrozenSet.Create(
        "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text", "invalid_arguments", "invalid_attachments",
        "metadata_too_large", "markdown_text_conflict", "block_mismatch");

    /// <summary>What passes when it is asked again.</summary>
    public static readonly FrozenSet<string> OfTheMoment = FrozenSet.Create(
        "ratelimited", "rate_limited", "message_limit_exceeded", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "accesslimited");
}
