namespace ControlPlane.DpDispatcher;

/// <summary>How long and how much one request to an engine may take.</summary>
/// <param name="Connect">Until the connection stands.</param>
/// <param name="Whole">From the first try to connect to the head of the answer.</param>
/// <param name="Drain">To read the rest of an answer whose head has decided already, so that the connection can be used again.</param>
/// <param name="AnswerBytes">Read of an answer's body at most.</param>
/// <param name="AnswerHeaderKiB">Read of an answer's head at most.</param>
internal sealed record DispatchLimits(TimeSpan Connect, TimeSpan Whole, TimeSpan Drain, int AnswerBytes, int AnswerHeaderKiB)
{
    public static readonly DispatchLimits Default = new(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(500), 64 * 1024, 16);

    /// <summary>How long a claim is held: the whole request, which may be made with either of two tokens, and some time to record what came of
    /// it.</summary>
    public TimeSpan Lease => 2 * Whole + TimeSpan.FromSeconds(5);
}
