using ControlPlane.Tenants;

namespace ControlPlane.Tests.Domain.Tenants;

/// <summary>What a tenant, its limits and its keys are.</summary>
public sealed class TenantTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<TenantLimits, string?> Limits => new()
    {
        { new(0, 0, null), null }, { new(0, 0, 0, 1), null }, { TenantLimits.Default, null }, { new(1000, 10, 5), null },
        { new(-1, 0, null), "the monthly quota is negative" }, { new(0, -1, null), "the concurrency limit is negative" },
        { new(0, 0, -1), "the monthly GPU limit is negative" }, { new(0, 0, null, 0), "the limit of instances is below one" },
    };

    [Theory, MemberData(nameof(Limits))]
    public void Limits_begin_at_nothing_and_those_of_instances_at_one(TenantLimits limits, string? fault) => Assert.Equal(fault, limits.Fault());

    [Fact]
    public void For_whom_nothing_was_set_there_are_a_thousand_a_month_and_ten_at_once() =>
        Assert.Equal(new(1000, 10, null, 200, DeniesWhenSilent: false), TenantLimits.Default);

    [Fact]
    public void A_change_that_names_nothing_is_none()
    {
        Assert.True(new LimitChange().IsEmpty);
        Assert.All(
            new LimitChange[]
            {
                new(MonthlyQuota: 0), new(Concurrency: 0), new(MonthlyGpuMs: 0), new(LiftsGpuLimit: true), new(Instances: 1), new(DeniesWhenSilent: false),
            },
            change => Assert.False(change.IsEmpty));
    }

    [Fact]
    public void A_removed_tenants_number_is_free_after_ninety_days()
    {
        Assert.True(EngineAddress.TryParse("10.100.128.10", TenantId.Parse("tenant-1"), allowPublicSubnet: false, out var engine));
        var tenant = new Tenant(TenantId.Parse("tenant-1"), "Acme", TenantStatus.Active, engine, AllowPublicSubnet: false, TenantLimits.Default);
        Assert.Null(tenant.FreeAt);
        Assert.Equal(Now.AddDays(90), (tenant with { RemovedAt = Now }).FreeAt);
    }

    [Theory]
    [InlineData(null, null, true), InlineData(1, null, true), InlineData(0, null, false), InlineData(-1, null, false)]
    [InlineData(null, -1, false), InlineData(1, -1, false), InlineData(null, 1, false)]                  // revoked is revoked
    public void A_key_is_valid_until_its_end_and_never_once_revoked(int? endsIn, int? revokedAt, bool isValid)
    {
        var key = new SidecarKey(KeyId.Parse(new('A', 43)), TenantId.Parse("tenant-1"), null, [], Now.AddDays(-1), At(endsIn), At(revokedAt));
        Assert.Equal(isValid, key.IsValidAt(Now));

        static DateTimeOffset? At(int? seconds) => seconds is { } given ? Now.AddSeconds(given) : null;
    }

    [Theory]
    [InlineData("123456789012", true), InlineData("12345678901", false), InlineData("1234567890123", false), InlineData("12345678901a", false)]
    [InlineData("123456789012\n", false), InlineData("", false)]
    public void An_account_has_twelve_digits(string text, bool isAccount) => Assert.Equal(isAccount, AwsIdentity.IsAccount(text));

    [Theory]
    [InlineData("engine-host", true), InlineData("a+=,.@_-Z9", true), InlineData("", false), InlineData("a/b", false), InlineData("a b", false), InlineData("a\n", false)]
    public void A_role_is_named_without_its_path(string text, bool isRole) => Assert.Equal(isRole, AwsIdentity.IsRole(text));

    [Theory]
    [InlineData(64, true), InlineData(65, false)]
    public void A_roles_name_is_as_long_as_AWS_lets_it_be(int length, bool isRole) => Assert.Equal(isRole, AwsIdentity.IsRole(new('r', length)));

    [Fact]
    public void A_series_goes_on_after_what_is_done_and_forgets_what_has_to_be_done_again()
    {
        var series = new StepSeries(TenantId.Parse("tenant-1"), "onboard", new Dictionary<string, string>(), [Done("network"), Done("key"), Done("engine")], 3);
        Assert.Equal((true, false), (series.IsDone("key"), series.IsDone("invite")));
        Assert.Equal(["engine"], series.Without(["key", "network"]).Done.Select(one => one.Step));
        Assert.Equal(3, series.Without(["invite"]).Done.Count);

        static StepDone Done(string step) => new(step, Now, "jane", "done");
    }
}
