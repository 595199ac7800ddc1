using ControlPlane.Secrets;

namespace ControlPlane.SlackHandler.Installation;

/// <summary>What a browser that installs the app is answered with.</summary>
internal abstract record InstallAnswer
{
    private InstallAnswer() { }

    /// <summary>It did not come through CloudFront.</summary>
    public sealed record NotFromOrigin : InstallAnswer;

    /// <summary>To Slack's page of consent.</summary>
    /// <param name="Url">Carries the state.</param>
    /// <param name="Browser">What the browser is known by when it comes back.</param>
    public sealed record ToSlack(Uri Url, OneTimeCode Browser) : InstallAnswer
    {
        public override string ToString() => nameof(ToSlack);
    }

    /// <summary>The app is installed and speaks for its tenant.</summary>
    /// <param name="Workspace">As its people call it, or its id.</param>
    public sealed record Linked(string Workspace) : InstallAnswer;

    /// <summary>The link, or the way back from Slack, is used up, too old, withdrawn, another browser's or none of ours.</summary>
    public sealed record AskForNewLink : InstallAnswer;

    /// <summary>Its user said no at Slack.</summary>
    public sealed record Declined : InstallAnswer;

    /// <summary>The workspace speaks for another tenant.</summary>
    public sealed record WorkspaceTaken : InstallAnswer;

    /// <summary>Slack did not give the token: the same link may be opened again.</summary>
    public sealed record OpenAgain : InstallAnswer;

    /// <summary>The operators have not given the hub the app's credentials.</summary>
    public sealed record NotSetUp : InstallAnswer;
}
