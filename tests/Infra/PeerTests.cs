using ControlPlane.Tests.Support;

namespace ControlPlane.Tests.Infra;

/// <summary><c>infra/peer</c> with an AWS CLI that writes down what it is asked.</summary>
public sealed class PeerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    [Fact]
    public async Task A_peering_of_the_tenants_own_gets_its_name_and_its_routes()
    {
        var (exit, said) = await PeerAsync("222222222222\\t10.142.0.0/16\\tactive", "tenant-43", "pcx-1", "222222222222", "EngineInPublicRange=true");

        Assert.True(exit == 0, said);
        Assert.Equal(
            [
                "ec2 create-tags --resources pcx-1 --tags Key=Name,Value=cp-from-dp-tenant-43 Key=TenantID,Value=tenant-43",
                "cloudformation deploy --stack-name peering-tenant-43 --template-file infra/tenant-peering.template"
                    + " --tags Platform=control-plane TenantID=tenant-43"
                    + " --parameter-overrides TenantId=tenant-43 PeeringId=pcx-1 DataPlaneCidr=10.142.0.0/16 EngineInPublicRange=true",
            ],
            Asked().Skip(1));
    }

    [Theory]
    [InlineData("222222222222\\t10.143.0.0/16\\tactive")]                 // a neighbour's range
    [InlineData("333333333333\\t10.142.0.0/16\\tactive")]                 // somebody else's account
    [InlineData("222222222222\\t10.142.0.0/16\\tpending-acceptance")]
    [InlineData("None\\tNone\\tNone")]
    public async Task Any_other_peering_gets_nothing(string answer)
    {
        var (exit, said) = await PeerAsync(answer, "tenant-43", "pcx-1", "222222222222");

        Assert.Equal(1, exit);
        Assert.Contains("10.142.0.0/16", said, StringComparison.Ordinal);
        Assert.Single(Asked());
    }

    [Theory]
    [InlineData("tenant-0")]
    [InlineData("tenant-157")]
    [InlineData("tenant-01")]
    [InlineData("tenant-43\n")]
    [InlineData("43")]
    public async Task A_tenant_that_cannot_be_is_refused(string tenant)
    {
        Assert.Equal(2, (await PeerAsync("222222222222\\t10.142.0.0/16\\tactive", tenant, "pcx-1", "222222222222")).Exit);
        Assert.Empty(Asked());
    }

    [Fact]
    public void Every_parameter_that_it_gives_the_template_has() =>
        Assert.Empty(new[] { "TenantId", "PeeringId", "DataPlaneCidr", "EngineInPublicRange" }
            .Except(Template.Read("infra/tenant-peering.template").Root["Parameters"]!.AsObject().Select(one => one.Key)));

    public void Dispose() => _folder.Delete(recursive: true);

    private async Task<(int Exit, string Said)> PeerAsync(string answer, params string[] arguments)
    {
        var aws = Path.Combine(_folder.FullName, "aws");
        await File.WriteAllTextAsync(aws, $"""
            #!/bin/bash
            echo "$*" >> '{_folder.FullName}/asked'
            [ "$2" != describe-vpc-peering-connections ] || printf '{answer}\n'

            """, TestContext.Current.CancellationToken);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(aws, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return await Script.RunAsync("infra/peer", arguments, ("PATH", $"{_folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}"));
    }

    private string[] Asked() => File.Exists(Path.Combine(_folder.FullName, "asked")) ? File.ReadAllLines(Path.Combine(_folder.FullName, "asked")) : [];
}
