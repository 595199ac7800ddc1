using ControlPlane.Audit;

namespace ControlPlane.Administration;

/// <summary>Audit records as operators read them.</summary>
public static class AuditText
{
    extension(AuditedValue value)
    {
        public string InWords => (value.Was, value.Is) switch
        {
            (null, { } now) => $"{value.Name} {now}",
            ({ } before, null) => $"{value.Name} {before} → none",
            _ => $"{value.Name} {value.Was} → {value.Is}",
        };
    }

    extension(AuditEntry entry)
    {
        /// <summary>All that was changed.</summary>
        public string ChangeInWords => string.Join("; ", entry.Values.Select(value => value.InWords));
    }
}
