using System.Text.Json.Nodes;
using ControlPlane.ColdStart;

namespace ControlPlane.Peers;

/// <summary>One kind of event, and how to see that it was dealt with.</summary>
/// <param name="entry">The peers' function for it.</param>
internal abstract class Job(Probe probe, string entry)
{
    public Probe Probe => probe;

    public string Entry => entry;

    /// <summary>Looks at what is there before a process gets its events.</summary>
    public abstract Task NoteAsync(CancellationToken cancel);

    /// <summary>Counts what the process wrote since, and takes away what would be found by others.</summary>
    /// <returns>What the items are made of: names and types, the same whoever wrote them.</returns>
    /// <exception cref="InvalidOperationException">It is not what so many events should leave.</exception>
    public abstract Task<string> CheckAsync(int events, CancellationToken cancel);

    /// <summary>The event with another signature.</summary>
    public JsonObject Forged()
    {
        var forged = probe.Events();
        foreach (var name in new[] { "x-slack-signature", "webhook-signature" })
        {
            if (forged["headers"]![name] is not JsonValue value)
                continue;
            var text = (string)value!;
            var other = $"{text[..^9]}{(text[^9] == '0' ? '1' : '0')}{text[^8..]}";
            forged["headers"]![name] = other;
            if (forged["multiValueHeaders"] is JsonObject several)
                several[name] = new JsonArray(other);
        }
        return forged;
    }

    protected void Expect(bool holds, string what)
    {
        if (!holds)
            throw new InvalidOperationException($"{probe.What}: {what}");
    }
}
