using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ControlPlane.Administration;
using ControlPlane.Executions;
using ControlPlane.Metering;
using ControlPlane.Operator.Arguments;
using ControlPlane.Operator.Onboarding;
using ControlPlane.Operator.Output;
using ControlPlane.Operator.Running;
using ControlPlane.Quotas;
using ControlPlane.Tenants;
using ControlPlane.Text;

namespace ControlPlane.Operator.Commands;

/// <summary><c>tenant onboard</c>: from a free number to a run that succeeded.</summary>
internal static class OnboardTenant
{
    private const string Smoke = "wf_sched", OnboardingRun = "run-key";

    public static Command Build(Runner runner)
    {
        string? link = null;
        var url = Text("--url", "https://api.example.com", "The control plane's public address, where it is not to be found from here.");
        var name = new Option<string?>("--name") { Description = "As people call it.", HelpName = "NAME", CustomParser = RegisterTenant.ReadName };
        var engine = Text("--engine", "ADDRESS", "Where its engine listens; where its stack puts it, or 10.x.128.10:5678 of its network, when left out.");
        var allowPublic = new Option<bool>("--allow-public-subnet") { Description = "The engine sits in one of the tenant's public subnets." };
        var invite = new Option<bool>("--slack-invite") { Description = "Print a link with which its Slack administrator installs the app." };
        var account = Shaped("--account", "222222222222", "The AWS account of its data plane, which is made there. Left out: somebody else makes it.", AwsIdentity.IsAccount, "no account: twelve digits");
        var engineRole = Shaped("--engine-role", "NAME", "The role that its engine hosts have there: they enrol their sidecars by it. Its stack's when left out.", AwsIdentity.IsRole, "no role's name");
        Option[] kept =
        [
            name, engine, allowPublic, TypedArguments.SlackTeam(), invite,
            TypedArguments.Limit("--monthly-quota", "Executions a calendar month (UTC).", most: JsonInteger.Highest),
            TypedArguments.Limit("--concurrency", "Executions under way at once.", most: 100_000),
            account, Text("--role", "ARN", "The role there that makes the stack; your own credentials when left out."), engineRole,
            Text("--bucket", "NAME", "A bucket of that account for the template; one of its own is made when left out."),
            Text("--image", "ami-…", "The image of its instances; the newest Amazon Linux 2023 of today when left out."),
            Text("--alarm-email", "ADDRESS", "Who is told about its alarms."),
            Text("--package", "FILE", "What data-plane/host/package made; the newest of this checkout when left out."),
            new Option<bool>("--no-host") { Description = "The stack makes the network, and somebody else the engine's host in it." },
            Text("--private-api", "URL", "The private API for its host; what the control plane's stack says when left out."),
            Text("--peering-id", "pcx-…", "Its data plane was made by others, as --print says: this is the peering."),
            RegisterTenant.PeeringLimit(),
            Text("--network-stack", "NAME", "The hub's stack of infra/network.template; network when left out."),
            url,
            Text("--workflow", "NAME", $"The workflow that its first run is of; {Smoke} when left out."),
        ];
        var print = new Option<bool>("--print") { Description = "Show the commands for the tenant's account, for who deploys there by hand, and do nothing." };
        return new SeriesCommand(
            runner, "onboard",
            "Takes a tenant in: a series of steps, each checked. Said again, it goes on where it stopped; what was said before need not be said again.", kept)
            .Build(
                asked => Steps(asked, made => link = made), mayLoseData: null, _ => link, (print, PrintAsync), (series, values) =>
                    values.ContainsKey("name") ? null : $"Say how people call it: ./ctl tenant onboard {series.Tenant} --name NAME.");
    }

    private static async Task<Answer> PrintAsync(SeriesCommand.Asked asked, CancellationToken cancel)
    {
        if (asked.Run.Value("account") is not { } account)
            return new Answer.NotDone("Say the tenant's account: --account 222222222222.");
        var commands = await TenantStacks.Of(asked.Run).PrintAsync(cancel);
        return Answer.Show(
            new CommandsView(asked.Run.Tenant.ToString(), account, commands), CtlJson.Default.CommandsView, page => page.Lines(string.Join('\n', commands)));
    }

    private static IReadOnlyList<Step> Steps(SeriesCommand.Asked asked, Action<string> tell)
    {
        var (run, patience) = (asked.Run, asked.Patience);
        var stacks = run.Value("account") is null ? null : TenantStacks.Of(run);
        var steps = new List<Step> { new("number", "its number is free, and the hub has a peering for it", (one, cancel) => LookForRoomAsync(one, stacks, cancel)) };
        if (stacks is not null && run.Value("account") is { } account)
        {
            steps.Add(new("data-plane", $"its data plane's stack in account {account}", (_, cancel) => stacks.DeployAsync(cancel)));
            steps.Add(new("peering", "the peering is active, of that account, and brings this tenant's range", (_, cancel) => stacks.FindPeeringAsync(patience, cancel)));
            steps.Add(new("routes", "the peering's tags, and the hub's routes over it", (_, cancel) => stacks.RouteAsync(cancel)));
        }
        steps.Add(new("registration", "the hub knows it: engine, limits, workspace, account", RegisterAsync));
        steps.Add(new("sidecar", "a metering sidecar of it has registered its key", (one, cancel) => FindKeyAsync(one, patience, cancel)));
        steps.Add(new("heartbeat", "its first heartbeat: HEALTHY", (one, cancel) => FindHeartbeatAsync(one, patience, cancel)));
        steps.Add(new("catalogue", "a workflow is in its catalogue", PublishAsync));
        if (run.Value("slack-invite") is not null)
            steps.Add(new("slack", "a link for its Slack administrator", async (one, cancel) =>
            {
                var invitation = await SlackInviteCommands.MakeAsync(one.Hub, one.Tenant, one.Value("url") is { } at ? new Uri(at) : null, cancel)
                    ?? throw new StepException("The control plane's public address is not to be found from here: add --url https://api.<domain>.");
                tell(invitation.Link);
                one.Say(invitation.Link);
                return $"invitation {invitation.Id}, until {invitation.ExpiresAt}; its link was shown once";
            }));
        steps.Add(new("run", "a run of that workflow: SUCCEEDED", (one, cancel) => RunAsync(one, patience, cancel)));
        return steps;
    }

    private static async Task<string> LookForRoomAsync(StepRun run, TenantStacks? stacks, CancellationToken cancel)
    {
        var there = await run.Hub.Tenants.FindAsync(run.Tenant, cancel);
        if (there is { Status: TenantStatus.Suspended })
            throw new StepException($"{run.Tenant} is suspended: ./ctl tenant resume {run.Tenant} first.");
        if (there is { Status: TenantStatus.Active })
            return there.Name == run.Value("name")
                ? "it was registered before"
                : throw new StepException($"{run.Tenant} is {there.Name}'s already: take another number.");
        var limit = PeeringLimit(run);
        var (registered, inTheWay) = await RegisterTenant.RoomAsync(run.Hub, there, limit, cancel);
        if (inTheWay is not null)
            throw new StepException(inTheWay);
        // Peerings of nobody's record count for AWS too.
        var active = stacks is null ? registered : await stacks.PeeringsAsync(cancel);
        return active < limit
            ? $"free; {Math.Max(registered, active)} of {limit} peerings are taken"
            : throw new StepException($"The hub's VPC has {active} active peerings, and may have {limit}. Delete those that nobody needs, or raise the quota in AWS and say --peering-limit.");
    }

    private static int PeeringLimit(StepRun run) => (int?)Number(run, "peering-limit") ?? RegisterTenant.StandardPeerings;

    private static async Task<string> RegisterAsync(StepRun run, CancellationToken cancel)
    {
        var isPublic = run.Value("allow-public-subnet") is not null;
        var address = run.Value("engine")
            ?? $"{run.Value("engine-address") ?? run.Tenant.Network.ToString().Replace(".0.0/16", ".128.10", StringComparison.Ordinal)}:{EngineAddress.Port}";
        if (!EngineText.TryParse(address, run.Tenant, isPublic, out var engine))
            throw new StepException(Refusals.EngineRefused(address, run.Tenant, isPublic).Why);
        TeamId? workspace = run.Value("slack-team") is { } team ? TeamId.Parse(team) : null;
        var limits = new LimitChange(Number(run, "monthly-quota"), (int?)Number(run, "concurrency"));
        var answer = await RegisterTenant.RunAsync(
            run.Hub, new(run.Tenant, run.Value("name")!, workspace, engine, isPublic, limits, PeeringLimit(run)), cancel);
        if (answer is Answer.NotDone { Why: var why })
            throw new StepException(why);
        if (run.Value("account") is { } account && run.Value("engine-role") is { } role)
            await (await run.Hub.AdministrationAsync(cancel)).IdentifyAsync(run.Tenant, new(account, role), cancel);
        return $"{run.Value("name")}, engine {EngineText.Format(engine)}";
    }

    private static Task<string> FindKeyAsync(StepRun run, TimeSpan patience, CancellationToken cancel) => run.UntilAsync(
        patience,
        async () => (await run.Hub.Tenants.KeysOfAsync(run.Tenant, cancel)).FirstOrDefault(key => key.IsValidAt(run.Hub.Clock.GetUtcNow())) is { } key
            ? $"key {key.KeyId} of {key.Instance ?? "any instance"}"
            : null,
        $"No sidecar of {run.Tenant} has registered a key. On its machine: data-plane/host/install with --enrol CODE of ./ctl key invite {run.Tenant}, or --enrol aws; /opt/data-plane/doctor says what is in the way.",
        cancel);

    private static Task<string> FindHeartbeatAsync(StepRun run, TimeSpan patience, CancellationToken cancel) => run.UntilAsync(
        patience,
        async () =>
        {
            var now = run.Hub.Clock.GetUtcNow();
            var health = (await run.Hub.Instances.OfTenantAsync(run.Tenant, Month.Of(now), cancel)).HealthAt(now);
            return health is { Liveness: Liveness.Healthy } ? $"HEALTHY, last seen {Rfc3339.Format(health.LastSeen)}" : null;
        },
        $"Nothing was heard of {run.Tenant}. On its machine: metering-sidecar --check says what is in the way.", cancel);

    private static async Task<string> PublishAsync(StepRun run, CancellationToken cancel)
    {
        var workflow = WorkflowOf(run);
        var before = await run.Hub.Tenants.FindWorkflowAsync(run.Tenant, workflow, cancel);
        if (before is { Enabled: true })
            return $"{workflow} was there";
        await (await run.Hub.AdministrationAsync(cancel)).SaveAsync(
            run.Tenant,
            new Workflow(
                workflow, WebhookPath.Of(workflow), [], Workflow.DefaultDeadline, Idempotent: false, Enabled: true, AllowedUsers: [], AllowedGroups: [],
                AllowedChannels: []), before, cancel);
        return $"{workflow}, for everyone in its workspace, without inputs: ./ctl workflow publish says otherwise";
    }

    private static async Task<string> RunAsync(StepRun run, TimeSpan patience, CancellationToken cancel)
    {
        // Written down before it is ordered: who goes on after an interruption finds this very execution.
        if (run.Value(OnboardingRun) is not { Length: > 0 })
            await run.KeepAsync(OnboardingRun, $"onboarding-{Guid.NewGuid():N}", cancel);
        var workflow = WorkflowOf(run);
        var catalogue = await run.Hub.Tenants.CatalogueAsync(run.Tenant, cancel) ?? throw new StepException(Refusals.NotRegistered(run.Tenant).Why);
        var id = ExecutionId.OfOperator(run.Tenant, run.Value(OnboardingRun)!);
        if (await run.Hub.Executions.FindAsync(id, cancel) is null)
        {
            var nothing = JsonElement.Parse("{}");
            if (OrderExecution.InTheWay(catalogue, workflow, nothing) is { } inTheWay)
                throw new StepException($"{inTheWay} Its first run is made without inputs: name another with --workflow.");
            if (await StartExecution.SendAsync(run.Hub, run.Tenant, workflow, nothing, run.Value(OnboardingRun)!, cancel) is (_, Handover.NotTaken))
                throw new StepException("The queue of requests refused it: try again.");
        }
        Execution? ended = null;
        await run.UntilAsync(
            patience, async () => (ended = await run.Hub.Executions.FindAsync(id, cancel)) is { State.IsTerminal: true } ? "" : null,
            $"{id} has not ended yet: ./ctl execution why {id} tells what it waits for.", cancel);
        if (ended!.State == ExecutionState.Succeeded)
            return $"{id} SUCCEEDED";
        await run.KeepAsync(OnboardingRun, "", cancel);
        throw new StepException($"{id} ended {ended.State.Name}. {Reasons.Of(ended, run.Hub.Clock.GetUtcNow())}");
    }

    private static WorkflowName WorkflowOf(StepRun run) => WorkflowName.TryParse(run.Value("workflow") ?? Smoke, out var name)
        ? name
        : throw new StepException($"{TypedArguments.Quote(run.Value("workflow")!)} is no workflow's name.");

    private static long? Number(StepRun run, string name) => run.Value(name) is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : null;

    private static Option<string?> Text(string name, string helpName, string description) => TypedArguments.Text(name, helpName, description, most: 256);

    private static Option<string?> Shaped(string name, string helpName, string description, Predicate<string> isOne, string fault) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = given => TypedArguments.Read(given, (string text, out string value) => isOne(value = text), text => $"{text} is {fault}."),
    };
}
