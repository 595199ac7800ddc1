using System.Text.Json.Nodes;

namespace ControlPlane.Tests.Infra;

/// <summary>What is kept where an error, or whoever has taken over the account, does not reach it.</summary>
public sealed class BackupTests
{
    [Fact]
    public void Every_table_but_the_rate_limits_is_kept_in_both_regions_and_nobody_deletes_it_early() =>
        Assert.Empty(Findings(Template.Read("infra/backup.template")));

    public static TheoryData<string, Action<JsonObject>> PlantedErrors => new()
    {
        { "no copy in the other region", root => root.Drop("Resources/WeeklyBackup/Properties/BackupPlan/BackupPlanRule/0/CopyActions") },
        { "the copy goes to a vault that is not there", root => root.Set("Resources/WeeklyBackup/Properties/BackupPlan/BackupPlanRule/0/CopyActions/0/DestinationBackupVaultArn/Fn::Sub", "arn:aws:backup:us-west-2:1:backup-vault:x") },
        { "another stack's tables",
            root => root.Set("Resources/BackedUp/Properties/BackupSelection/Resources/0/Fn::Sub", "arn:aws:dynamodb:us-east-1:111111111111:table/hub-*") },
        { "anybody may delete a backup", root => root.Drop("Resources/BackupVault/Properties/LockConfiguration") },
        { "a backup is deleted while the vault forbids it",
            root => root.Set("Resources/WeeklyBackup/Properties/BackupPlan/BackupPlanRule/0/Lifecycle/DeleteAfterDays", 3) },
    };

    [Theory]
    [MemberData(nameof(PlantedErrors), DisableDiscoveryEnumeration = true)]
    public void A_planted_error_is_found(string error, Action<JsonObject> plant) =>
        Assert.True(Findings(Template.Read("infra/backup.template").With(plant)).Any(), $"Nothing found although {error}.");

    private static IEnumerable<string> Findings(Template template)
    {
        var platform = Platform.Build([]);
        var source = Stack.Deploy(template, "state", platform.Here, ("BucketName", "state"));
        var replica = Stack.Deploy(template, "state", new Account(platform.Here.Id, "us-west-2"), ("BucketName", "state"), ("Role", "replica"));

        var rule = source.Properties("WeeklyBackup")["BackupPlan"]!["BackupPlanRule"]![0]!;
        var there = $"arn:aws:backup:us-west-2:{platform.Here.Id}:backup-vault:{replica.Properties("BackupVault")["BackupVaultName"]}";
        if (rule["CopyActions"]?[0]?["DestinationBackupVaultArn"]?.ToString() != there)
            yield return "no copy in the other region's vault";
        foreach (var vault in new[] { source, replica }.Select(stack => stack.Properties("BackupVault")))
            if ((int?)vault["LockConfiguration"]?["MinRetentionDays"] is not { } least || least > (int)rule["Lifecycle"]!["DeleteAfterDays"]!)
                yield return "a backup can be deleted at once, or never as the plan says";

        var selection = source.Properties("BackedUp")["BackupSelection"]!;
        var prefix = selection["Resources"]![0]!.ToString().TrimEnd('*');
        foreach (var (id, table) in platform.Application.OfType("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"))
        {
            var arn = $"arn:aws:dynamodb:us-east-1:{platform.Here.Id}:table/{table["TableName"]}";
            if ((arn.StartsWith(prefix, StringComparison.Ordinal) && !selection["NotResources"].Texts().Contains(arn)) != (id != "RateLimitsTable"))
                yield return $"{id} is backed up, or is not, against the rule";
        }
    }
}
