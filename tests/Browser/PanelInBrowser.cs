using System.Net;
using ControlPlane.Executions;
using ControlPlane.Local.DataPlane;
using ControlPlane.Local.Demo;
using ControlPlane.Local.Hub;
using ControlPlane.Tests.Cloud;
using Microsoft.Playwright;

namespace ControlPlane.Tests.Browser;

/// <summary>A hub as <c>./run --no-demo</c> starts it, and a real browser in front of its panel. One for all the tests of its class.</summary>
public class PanelInBrowser : IAsyncLifetime
{
    /// <summary>Debian's; Playwright's own is not fetched.</summary>
    private const string Chromium = "/usr/bin/chromium";

    /// <summary>How long a page may take on a machine that does much else.</summary>
    private const float PatienceMs = 60_000;

    private readonly string _state = Directory.CreateTempSubdirectory("control-plane-panel-").FullName;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    internal LocalControlPlane Local { get; private set; } = null!;

    internal SlackUser Slack { get; private set; } = null!;

    internal string Address => Local.Panel.Endpoint.ToString().TrimEnd('/');

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync()
    {
        if (!File.Exists(Chromium))
            return;
        Local = await LocalControlPlane.StartAsync(
            new(
                _state, Port: 0, PrivatePort: 0, Empty: false, new Dictionary<string, IPEndPoint>(), DemoData.Engine.Address, Published: null, Machines: 4),
            _ => { }, TimeProvider.System, Cancel);
        Slack = new(Local.PublicApi.Endpoint, TimeProvider.System);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-gpu"], Timeout = PatienceMs });
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        Slack?.Dispose();
        if (Local is not null)
            await Local.DisposeAsync();
        Directory.Delete(_state, recursive: true);
    }

    /// <summary>Has the demo's user run a workflow. A machine that does much else may say that it is too busy: then once more, as people do.</summary>
    internal async Task<ExecutionId> OrderAsync(string command)
    {
        string? said = null;
        for (var again = 0; again < 5; again++)
        {
            var typed = Slack.Type(command);
            var (status, answer) = await Slack.PostAsync(typed, DemoData.SigningSecret, Cancel);
            said = $"{status} {answer?.ToJsonString()}";
            if (said.Contains("Working on", StringComparison.Ordinal))
                return ExecutionId.Of(DemoData.Workspace, typed.TriggerId);
        }
        throw new InvalidOperationException($"Nothing was ordered: {said}");
    }

    /// <summary>Somebody at the panel.</summary>
    /// <param name="who">operator, viewer or stranger; null for nobody yet.</param>
    internal async Task<Visit> VisitAsync(string? who, BrowserNewContextOptions? options = null)
    {
        Assert.SkipUnless(File.Exists(Chromium), $"There is no {Chromium}: apt-get install chromium.");
        var context = await _browser!.NewContextAsync(options ?? new());
        context.SetDefaultTimeout(PatienceMs);
        if (who is not null)
            await context.AddCookiesAsync([new() { Name = "AWSELBAuthSessionCookie-0", Value = who, Url = Address }]);
        return new(this, context, await context.NewPageAsync());
    }
}

/// <summary>The same with every tenant that there can be and ten thousand executions, beside the demo's tenant.</summary>
public sealed class FullPanelInBrowser : PanelInBrowser
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        if (Local is not null)
            await FullHub.WriteAsync(
                Local.DynamoClient, Local.Tables["TenantsTable"], Local.Tables["ExecutionsTable"], Local.Tables["InstancesTable"], TimeProvider.System.GetUtcNow(),
                Cancel, kept: DemoData.Tenant);
    }
}

/// <summary>One browser window, which notes what its console complains of.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private const int Tries = 5;

    private readonly PanelInBrowser _panel;
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    public Visit(PanelInBrowser panel, IBrowserContext context, IPage page)
    {
        (_panel, _context, Page) = (panel, context, page);
        page.Console += (_, message) => { if (message.Type is "error" or "warning") _complaints.Add(message.Text); };
        page.PageError += (_, error) => _complaints.Add(error);
        page.RequestFailed += (_, request) =>
        {
            // A part that refreshes itself may be on its way when the page is left.
            if (request.Failure is not "net::ERR_ABORTED")
                _complaints.Add($"{request.Url}: {request.Failure}");
        };
    }

    public IPage Page { get; }

    public IReadOnlyList<string> Complaints => _complaints;

    /// <summary>Opens a page, again while a store of this busy machine does not answer in time.</summary>
    public async Task<IResponse> OpenAsync(string path)
    {
        var answer = (await Page.GotoAsync(_panel.Address + path))!;
        for (var again = 1; answer.Status == 503 && again < Tries; again++)
            answer = (await Page.ReloadAsync())!;
        return answer;
    }

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>Presses a button and waits for the page that it leads to.</summary>
    public Task PressAsync(ILocator button) => SendAsync(() => button.ClickAsync());

    /// <summary>Does what sends a form, and waits for the page that it leads to.</summary>
    public async Task SendAsync(Func<Task> actAsync)
    {
        var answer = await Page.RunAndWaitForResponseAsync(
            actAsync, one => one.Request.IsNavigationRequest && one.Status is < 300 or >= 400);
        await Page.WaitForLoadStateAsync(LoadState.DOMContentLoaded);
        for (var again = 1; answer is { Status: 503, Request.Method: "GET" } && again < Tries; again++)
            answer = (await Page.ReloadAsync())!;
        Assert.True(answer.Status < 400, $"{answer.Status}: {await TextAsync()}");
    }

    public async Task<string> TextAsync() => await Page.Locator("main").InnerTextAsync();

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
