using System.Text.Json;
using ControlPlane.Operator.Running;
using ControlPlane.Tenants;

namespace ControlPlane.Operator.Onboarding;

/// <summary>A tenant's two stacks: its data plane in its own account, and its peering's routes at the hub. The commands are those of infra/README.md.</summary>
/// <param name="checkout">Where the templates and scripts are.</param>
internal sealed class TenantStacks(StepRun run, AwsCli hub, string checkout)
{
    public const string ImageParameter = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";

    private const string Template = "infra/tenant-data-plane.template", Absent = "ABSENT";

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(5);

    private AwsCli? _tenant;

    /// <summary>By the operator's own credentials at the hub.</summary>
    public static TenantStacks Of(StepRun run) => new(run, new(run.Hub.Region, new Dictionary<string, string>()), Runner.Checkout());

    public static string DataPlaneOf(TenantId tenant) => $"dp-{tenant}";

    public static string PeeringOf(TenantId tenant) => $"peering-{tenant}";

    private string Account => run.Value("account")!;

    /// <summary>Makes the data plane, or brings it up to date.</summary>
    public async Task<string> DeployAsync(CancellationToken cancel)
    {
        if (run.Value("peering-id") is { } peering)
        {
            await run.KeepAsync("peering", peering, cancel);
            return $"made by others, with the peering {peering}";
        }
        var wanted = await WantedAsync(cancel);
        var tenant = await TenantAsync(cancel);
        var stack = DataPlaneOf(run.Tenant);
        // A create that failed leaves a stack that nothing can be made of.
        if (await SettledAsync(tenant, stack, cancel) is "ROLLBACK_COMPLETE" or "ROLLBACK_FAILED" or "DELETE_FAILED")
            await DeleteAsync(tenant, stack, cancel);

        // Chosen once: an update of the stack brings no other.
        if (run.Value("image") is null)
            await run.KeepAsync("image", await tenant.RunAsync(
                cancel, "ssm", "get-parameter", "--name", ImageParameter, "--query", "Parameter.Value", "--output", "text"), cancel);
        var bucket = run.Value("bucket") ?? $"dp-{run.Tenant}-{Account}-{tenant.Region}";
        if (!(await tenant.RunAsync(cancel, "s3api", "list-buckets", "--query", "Buckets[].Name", "--output", "text")).Split('\t', '\n').Contains(bucket))
            await tenant.RunAsync(cancel, "s3", "mb", $"s3://{bucket}");

        if (wanted.Package is { } package)
            await tenant.RunAsync(cancel, "s3", "cp", "--only-show-errors", package.File, $"s3://{bucket}/{package.Key}");
        await tenant.RunAsync(cancel, Deploy(bucket, [.. wanted.Parameters(bucket), $"NatImage={run.Value("image")}"], Path.Combine(checkout, Template)));
        var outputs = await OutputsAsync(tenant, stack, cancel);
        await run.KeepAsync("peering", Of(outputs, "PeeringId"), cancel);
        if (outputs.TryGetValue("EngineAddress", out var address))
            await run.KeepAsync("engine-address", address, cancel);
        if (outputs.TryGetValue("EngineRoleName", out var role) && run.Value("engine-role") is null)
            await run.KeepAsync("engine-role", role, cancel);
        return $"stack {stack} in account {Account}";
    }

    /// <summary>The same as commands, for who deploys in the tenant's account by hand.</summary>
    public async Task<IReadOnlyList<string>> PrintAsync(CancellationToken cancel)
    {
        var wanted = await WantedAsync(cancel);
        var bucket = run.Value("bucket") ?? $"dp-{run.Tenant}-{Account}-{hub.Region}";
        var stack = DataPlaneOf(run.Tenant);
        IEnumerable<string> image = run.Value("image") is { } chosen
            ? [$"image={chosen}"]
            : [$"image=$(aws ssm get-parameter --name {ImageParameter} --query Parameter.Value --output text)"];
        return
        [
            $"# In account {Account}, in a checkout of this project:",
            $"export AWS_DEFAULT_REGION={hub.Region}",
            .. image,
            $"aws s3 mb s3://{bucket}",
            .. wanted.Package is { } package ? [$"aws s3 cp {package.File} s3://{bucket}/{package.Key}"] : Array.Empty<string>(),
            $"aws {string.Join(' ', Deploy(bucket, [.. wanted.Parameters(bucket), "NatImage=$image"], Template))}",
            $"aws cloudformation describe-stacks --stack-name {stack} --query 'Stacks[0].Outputs' --output table",
            "# At the hub, the words in capitals from its outputs:",
            $"./ctl tenant onboard {run.Tenant} --name \"{run.Value("name") ?? "NAME"}\" --account {Account} --peering-id PEERING_ID"
                + (wanted.Package is null ? "" : $" --engine-role ENGINE_ROLE_NAME --engine ENGINE_ADDRESS:{EngineAddress.Port}"),
        ];
    }

    /// <returns>How many active peering connections the hub's VPC has.</returns>
    public async Task<int> PeeringsAsync(CancellationToken cancel)
    {
        var vpc = Of(await OutputsAsync(hub, run.Value("network-stack") ?? "network", cancel), "VpcId");
        var active = await hub.RunAsync(
            cancel, "ec2", "describe-vpc-peering-connections", "--filters", $"Name=accepter-vpc-info.vpc-id,Values={vpc}", "Name=status-code,Values=active",
            "--query", "VpcPeeringConnections[].VpcPeeringConnectionId", "--output", "text");
        return active.Split('\t', StringSplitOptions.RemoveEmptyEntries).Length;
    }

    private string[] Deploy(string bucket, IEnumerable<string> parameters, string template) =>
    [
        "cloudformation", "deploy", "--stack-name", DataPlaneOf(run.Tenant), "--template-file", template, "--s3-bucket", bucket, "--capabilities", "CAPABILITY_IAM",
        "--no-fail-on-empty-changeset", "--tags", "Platform=control-plane", $"TenantID={run.Tenant}", "--parameter-overrides", .. parameters,
    ];

    /// <summary>What the data plane is to be.</summary>
    private async Task<DataPlaneWish> WantedAsync(CancellationToken cancel)
    {
        var network = await OutputsAsync(hub, run.Value("network-stack") ?? "network", cancel);
        List<string> parameters =
        [
            $"TenantId={run.Tenant}", $"PeerVpcId={Of(network, "VpcId")}", $"PeerAccountId={Of(network, "AccountId")}",
            $"EngineInPublicRange={(run.Value("allow-public-subnet") is null ? "false" : "true")}",
        ];
        if (run.Value("alarm-email") is { } email)
            parameters.Add($"AlarmEmail={email}");
        if (run.Value("no-host") is not null)
            return new([.. parameters, "Engine=off"], null);

        var privateApi = run.Value("private-api") ?? Of(await OutputsAsync(hub, run.Hub.Stack, cancel), "PrivateApiUrl");
        var url = run.Value("url") ?? await run.Hub.IssuerAsync(cancel)
            ?? throw new StepException("The control plane's public address, which its tokens name, is not to be found from here: add --url https://api.<domain>.");
        return new([.. parameters, $"PrivateApiUrl={privateApi}", $"ControlPlaneUrl={url}"], HostPackage.Find(checkout, run.Value("package")));
    }

    /// <summary>Sees that the peering is this tenant's: a VPC of the organization could ask with a neighbour's range.</summary>
    public async Task<string> FindPeeringAsync(TimeSpan patience, CancellationToken cancel)
    {
        var (peering, range) = (run.Value("peering") ?? throw new StepException("No peering is known: do it from the step before, --from data-plane."), run.Tenant.Network.ToString());
        return await run.UntilAsync(patience, async () =>
        {
            var seen = (await hub.RunAsync(
                cancel, "ec2", "describe-vpc-peering-connections", "--vpc-peering-connection-ids", peering, "--output", "text", "--query",
                "VpcPeeringConnections[0].[RequesterVpcInfo.OwnerId, RequesterVpcInfo.CidrBlock, Status.Code]")).Split('\t');
            if (seen is [var owner, var cidr, _] && (owner != Account || cidr != range))
                throw new StepException(
                    $"{peering} is not {run.Tenant}'s: expected account {Account} and range {range}, found {owner} and {cidr}. Nothing is routed to it. Delete it, and see who asked.");
            return seen is [_, _, "active"] ? $"{peering} is active, of account {Account}, {range}" : null;
        }, $"{peering} is not active: look at the hub's accepter role, and at the quota for active peering connections.", cancel);
    }

    /// <summary>Gives the peering its tags and the hub its routes.</summary>
    public async Task<string> RouteAsync(CancellationToken cancel)
    {
        await SettledAsync(hub, PeeringOf(run.Tenant), cancel);
        string[] more = run.Value("allow-public-subnet") is null ? [] : ["EngineInPublicRange=true"];
        await hub.RunScriptAsync(checkout, "infra/peer", cancel, [run.Tenant.ToString(), run.Value("peering")!, Account, .. more]);
        return $"stack {PeeringOf(run.Tenant)} at the hub";
    }

    public async Task<string> DeleteRoutesAsync(CancellationToken cancel) => await DeletedAsync(hub, PeeringOf(run.Tenant), cancel);

    /// <remarks>The peering is of this stack and goes with it.</remarks>
    public async Task<string> DeleteDataPlaneAsync(CancellationToken cancel)
    {
        var tenant = await TenantAsync(cancel);
        // A database of RDS is protected from everybody; a snapshot of it remains.
        foreach (var database in await DatabasesAsync(tenant, DataPlaneOf(run.Tenant), cancel))
            await tenant.RunAsync(
                cancel, "rds", "modify-db-instance", "--db-instance-identifier", database, "--no-deletion-protection", "--apply-immediately", "--query",
                "DBInstance.DBInstanceStatus", "--output", "text");
        return await DeletedAsync(tenant, DataPlaneOf(run.Tenant), cancel);
    }

    private static async Task<string[]> DatabasesAsync(AwsCli aws, string stack, CancellationToken cancel)
    {
        try
        {
            return (await aws.RunAsync(
                cancel, "cloudformation", "describe-stack-resources", "--stack-name", stack, "--output", "text", "--query",
                "StackResources[?ResourceType=='AWS::RDS::DBInstance' && ResourceStatus!='DELETE_COMPLETE'].PhysicalResourceId"))
                .Split('\t', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (StepException e) when (e.Message.Contains("does not exist", StringComparison.Ordinal))
        {
            return [];
        }
    }

    private async Task<string> DeletedAsync(AwsCli aws, string stack, CancellationToken cancel)
    {
        if (await SettledAsync(aws, stack, cancel) == Absent)
            return $"stack {stack} is gone";
        await DeleteAsync(aws, stack, cancel);
        return $"stack {stack} is deleted";
    }

    private static async Task DeleteAsync(AwsCli aws, string stack, CancellationToken cancel)
    {
        await aws.RunAsync(cancel, "cloudformation", "delete-stack", "--stack-name", stack);
        await aws.RunAsync(cancel, "cloudformation", "wait", "stack-delete-complete", "--stack-name", stack);
    }

    /// <summary>Waits for what somebody began before.</summary>
    /// <returns>The stack's status, or <see cref="Absent"/>.</returns>
    private async Task<string> SettledAsync(AwsCli aws, string stack, CancellationToken cancel)
    {
        while (true)
        {
            var status = await StatusAsync(aws, stack, cancel);
            if (status == "REVIEW_IN_PROGRESS" || !status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal))
                return status;
            run.Say($"{stack} is {status}: waiting");
            await Task.Delay(BetweenLooks, run.Hub.Clock, cancel);
        }
    }

    private static async Task<string> StatusAsync(AwsCli aws, string stack, CancellationToken cancel)
    {
        try
        {
            return await aws.RunAsync(
                cancel, "cloudformation", "describe-stacks", "--stack-name", stack, "--query", "Stacks[0].StackStatus", "--output", "text");
        }
        catch (StepException e) when (e.Message.Contains("does not exist", StringComparison.Ordinal))
        {
            return Absent;
        }
    }

    private static async Task<IReadOnlyDictionary<string, string>> OutputsAsync(AwsCli aws, string stack, CancellationToken cancel)
    {
        using var outputs = JsonDocument.Parse(await aws.RunAsync(
            cancel, "cloudformation", "describe-stacks", "--stack-name", stack, "--query", "Stacks[0].Outputs", "--output", "json"));
        return outputs.RootElement.ValueKind != JsonValueKind.Array
            ? new Dictionary<string, string>()
            : outputs.RootElement.EnumerateArray().ToDictionary(one => one.GetProperty("OutputKey").GetString()!, one => one.GetProperty("OutputValue").GetString()!);
    }

    private static string Of(IReadOnlyDictionary<string, string> outputs, string name) =>
        outputs.GetValueOrDefault(name) ?? throw new StepException($"The stack has no output {name}: is it one of infra/network.template or infra/tenant-data-plane.template?");

    private async Task<AwsCli> TenantAsync(CancellationToken cancel)
    {
        if (_tenant is not null)
            return _tenant;
        var tenant = run.Value("role") is { } role ? await hub.AssumeAsync(role, $"onboard-{run.Tenant}", cancel) : hub;
        var account = await tenant.RunAsync(cancel, "sts", "get-caller-identity", "--query", "Account", "--output", "text");
        return _tenant = account == Account
            ? tenant
            : throw new StepException($"These credentials are of account {account}, and the tenant's is {Account}: name a role there with --role.");
    }
}
