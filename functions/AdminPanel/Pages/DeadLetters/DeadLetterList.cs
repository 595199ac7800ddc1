using ControlPlane.Administration.DeadLetters;
using ControlPlane.AdminPanel.Http;
using ControlPlane.AdminPanel.Look;
using ControlPlane.AdminPanel.Stores;
using ControlPlane.Audit;
using ControlPlane.Aws;

namespace ControlPlane.AdminPanel.Pages.DeadLetters;

public sealed record DeadLetterList(Frame Frame, IReadOnlyList<(WorkQueue Queue, IReadOnlyList<DeadLetter> Letters)> Queues)
{
    public const int Most = 100;

    internal static async Task<PanelAnswer> AnswerAsync(Hub hub, PanelRequest request, CancellationToken cancel)
    {
        var queues = await Task.WhenAll(WorkQueue.All.Select(async queue => (queue, await hub.DeadLettersOf(queue).LookAsync(Most, cancel))));
        return new PanelAnswer.Page(DeadLetterListPage.Create(new(Frame.Of("Dead letters", "Dead letters", request), queues)));
    }

    internal static async Task<PanelAnswer> RedriveAsync(Hub hub, Auditor auditor, string name, CancellationToken cancel)
    {
        if (WorkQueue.All.FirstOrDefault(one => one.Name == name) is not { } queue)
            return new PanelAnswer.NotFound("There is no such queue.");
        await auditor.NoteAsync("dlq.redrive", null, queue.Name, [AuditedValue.Of("most", null, HtmlText.Of(Most))], cancel);
        var moved = await hub.DeadLettersOf(queue).RedriveAsync(Most, cancel);
        return new PanelAnswer.GoOn($"/dead-letters?done={(moved.Count > 0 ? "redriven" : "unchanged")}");
    }
}
