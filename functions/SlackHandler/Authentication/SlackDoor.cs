using ControlPlane.Http;

namespace ControlPlane.SlackHandler.Authentication;

/// <summary>What the door said to a request.</summary>
internal enum Entry
{
    /// <summary>Slack sent it, a moment ago.</summary>
    Granted,

    /// <summary>It did not come through CloudFront.</summary>
    NotFromOrigin,

    TooLarge,

    NotAForm,

    /// <summary>Slack checks the certificate; there is nothing to say.</summary>
    SslCheck,

    /// <summary>Slack did not sign it, or not recently.</summary>
    Forged,
}

/// <summary>Lets in what Slack signed: the one order of checks for every form that it posts. Nothing is parsed before.</summary>
internal sealed class SlackDoor(OriginCheck origin, SlackSignature signature, SlackHandlerEvents events)
{
    /// <param name="largestBody">In bytes.</param>
    public async Task<Entry> CheckAsync(RawRequest request, int largestBody, CancellationToken cancel)
    {
        if (!await origin.PassesAsync(request, cancel))
            return TurnAway("origin", request, Entry.NotFromOrigin);
        if (request.Body.Length > largestBody)
            return TurnAway("size", request, Entry.TooLarge);
        if (!request.IsContentType("application/x-www-form-urlencoded"))
            return TurnAway("content type", request, Entry.NotAForm);
        if (FormBody.Says(request.Body.Span, "ssl_check=1"u8))
            return Entry.SslCheck;      // Slack does not sign these
        return await signature.CheckAsync(request, cancel) switch
        {
            SignatureCheck.Genuine => Entry.Granted,
            SignatureCheck.Stale => TurnAway("stale", request, Entry.Forged),
            _ => TurnAway("signature", request, Entry.Forged),
        };
    }

    private Entry TurnAway(string why, RawRequest request, Entry entry)
    {
        events.TurnedAway(request.RequestId, why);
        return entry;
    }
}
