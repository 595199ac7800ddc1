using System.Text.Json.Serialization;

namespace ControlPlane.Operator.Output;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(TenantsView))]
[JsonSerializable(typeof(TenantDetailView))]
[JsonSerializable(typeof(RegistrationView))]
[JsonSerializable(typeof(TenantChangeView))]
[JsonSerializable(typeof(RemovalView))]
[JsonSerializable(typeof(SlackLinkView))]
[JsonSerializable(typeof(InviteView))]
[JsonSerializable(typeof(InvitationsView))]
[JsonSerializable(typeof(InviteRevokedView))]
[JsonSerializable(typeof(ResealView))]
[JsonSerializable(typeof(KeysView))]
[JsonSerializable(typeof(KeyChangeView))]
[JsonSerializable(typeof(WorkflowsView))]
[JsonSerializable(typeof(WorkflowChangeView))]
[JsonSerializable(typeof(GroupsView))]
[JsonSerializable(typeof(GroupChangeView))]
[JsonSerializable(typeof(ExecutionsView))]
[JsonSerializable(typeof(ExecutionView))]
[JsonSerializable(typeof(WhyView))]
[JsonSerializable(typeof(UsagesView))]
[JsonSerializable(typeof(RecountView))]
[JsonSerializable(typeof(LedgerOwnerView))]
[JsonSerializable(typeof(SamplesView))]
[JsonSerializable(typeof(InstancesView))]
[JsonSerializable(typeof(InstanceView))]
[JsonSerializable(typeof(InstanceChangeView))]
[JsonSerializable(typeof(EngineKeyView))]
[JsonSerializable(typeof(SecretRotationView))]
[JsonSerializable(typeof(DeadLettersView))]
[JsonSerializable(typeof(RedriveView))]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(string))]
internal sealed partial class CtlJson : JsonSerializerContext;

/// <summary>An error or a warning beside the output: one line.</summary>
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class LineJson : JsonSerializerContext;
