using System.Diagnostics.CodeAnalysis;
using ControlPlane.Text;

namespace ControlPlane.Audit;

/// <summary>Where a record stands in the trail: of one moment there may be many. As text, <c>2026-11-22T12:00:00.000Z~0123456789ab</c>.</summary>
public readonly record struct AuditPlace(DateTimeOffset At, string Id)
{
    private const int LongestId = 32;

    public override string ToString() => $"{Rfc3339.Format(At)}~{Id}";

    public static bool TryParse([NotNullWhen(true)] string? text, out AuditPlace place)
    {
        place = default;
        if (text?.Split('~') is not [var time, var id] || !Rfc3339.TryParse(time, out var at) || id.Length is 0 or > LongestId
            || !id.All(char.IsAsciiHexDigitLower))
            return false;
        place = new(at, id);
        return true;
    }
}
