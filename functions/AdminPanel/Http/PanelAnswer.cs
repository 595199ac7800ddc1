using RazorSlices;

namespace ControlPlane.AdminPanel.Http;

/// <summary>What a request comes to.</summary>
internal abstract record PanelAnswer
{
    private PanelAnswer() { }

    public sealed record Page(RazorSlice Slice, int Status = 200) : PanelAnswer;

    /// <summary>A change was made: the browser goes on to a page that a reload does not change again.</summary>
    public sealed record GoOn(string To) : PanelAnswer;

    /// <param name="Name">Under which it is saved; null for what the pages need themselves, which is kept by its version.</param>
    public sealed record File(string ContentType, byte[] Bytes, string? Name) : PanelAnswer;

    /// <summary>There is no such page, or nothing of that name.</summary>
    public sealed record NotFound(string What) : PanelAnswer;

    /// <summary>What was asked for cannot be done, in plain words.</summary>
    public sealed record NotDone(string Why) : PanelAnswer;
}
