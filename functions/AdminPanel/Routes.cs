using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Pages.Audit;
using ControlPlane.AdminPanel.Pages.DeadLetters;
using ControlPlane.AdminPanel.Pages.Executions;
using ControlPlane.AdminPanel.Pages.Overview;
using ControlPlane.AdminPanel.Pages.Tenants;
using ControlPlane.AdminPanel.Pages.Usage;
using ControlPlane.AdminPanel.Stores;

namespace ControlPlane.AdminPanel;

/// <summary>Every address that the panel has.</summary>
internal sealed class Routes(Hub hub)
{
    /// <param name="isChange">A form was posted, by somebody who may.</param>
    public Task<PanelAnswer> AnswerAsync(PanelRequest request, bool isChange, CancellationToken cancel) =>
        isChange ? ChangeAsync(request, cancel) : LookAsync(request, cancel);

    private async Task<PanelAnswer> LookAsync(PanelRequest request, CancellationToken cancel) => request.Parts switch
    {
        [] => await HubOverview.AnswerAsync(hub, request, cancel),
        ["assets", var name] => Asset.Find(name) is var (type, bytes) ? new PanelAnswer.File(type, bytes, Name: null) : NoSuchPage,
        ["executions"] => await ExecutionList.AnswerAsync(hub, request, cancel),
        ["executions", var id] => await ExecutionView.AnswerAsync(hub, request, id, cancel),
        ["executions", "ordered", var id] => await ExecutionChanges.OrderedAsync(hub, request, id, cancel),
        ["tenants"] => await TenantList.AnswerAsync(hub, request, cancel),
        ["tenants", var id] => await TenantView.AnswerAsync(hub, request, id, cancel),
        ["tenants", var id, "usage"] => await UsageView.AnswerAsync(hub, request, id, cancel),
        ["tenants", var id, "instances", var instance] => await InstanceView.AnswerAsync(hub, request, id, instance, cancel),
        ["usage"] => await UsageList.AnswerAsync(hub, request, cancel),
        ["usage.csv"] => await UsageList.DownloadAsync(hub, request, cancel),
        ["dead-letters"] => await DeadLetterList.AnswerAsync(hub, request, cancel),
        ["audit"] => await AuditList.AnswerAsync(hub, request, cancel),
        _ => NoSuchPage,
    };

    private async Task<PanelAnswer> ChangeAsync(PanelRequest request, CancellationToken cancel)
    {
        var auditor = hub.Audit.For(request.Visitor.Actor, request.RequestId, request.Visitor.Mail);
        return request.Parts switch
        {
            ["executions", var id, "cancel"] => await ExecutionChanges.CancelAsync(hub, request, auditor, id, cancel),
            ["executions", var id, "again"] => await ExecutionChanges.AgainAsync(hub, request, auditor, id, cancel),
            ["tenants", var id, var action] => await TenantChanges.AnswerAsync(hub, request, auditor, id, action, cancel),
            ["dead-letters", var queue, "redrive"] => await DeadLetterList.RedriveAsync(hub, auditor, queue, cancel),
            _ => NoSuchPage,
        };
    }

    private static PanelAnswer NoSuchPage => new PanelAnswer.NotFound("There is no such page: the menu has all there are.");
}
