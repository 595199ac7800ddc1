using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Html;

namespace ControlPlane.AdminPanel.Look;

/// <summary>Bars as inline SVG, with their numbers for those who do not see them.</summary>
internal static class Chart
{
    private const int Height = 60, Step = 8;

    /// <param name="values">Null where nothing is known: a gap, not a zero.</param>
    /// <param name="what">What they are, to stand in a sentence.</param>
    /// <param name="most">What the full height stands for; null for the largest.</param>
    public static IHtmlContent Bars(IReadOnlyList<double?> values, string what, double? most = null)
    {
        var full = Math.Max(most ?? values.Max() ?? 0, double.Epsilon);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=\"bars\" viewBox=\"0 0 {values.Count * Step} {Height}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
        svg.Append(CultureInfo.InvariantCulture, $"{HtmlText.Encoder.Encode(what)}: from {values.Min() ?? 0:0.##} to {values.Max() ?? 0:0.##}, {values.Count(one => one is null)} of {values.Count} unknown\">");
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i] is not { } value)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"gap\" x=\"{i * Step}\" y=\"{Height - 2}\" width=\"{Step - 1}\" height=\"2\"/>");
                continue;
            }
            var tall = Math.Max(1, value / full * Height);
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{i * Step}\" y=\"{Height - tall:0.#}\" width=\"{Step - 1}\" height=\"{tall:0.#}\"/>");
        }
        return new HtmlString(svg.Append("</svg>").ToString());
    }
}
