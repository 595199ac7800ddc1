using System.Buffers;
using System.Globalization;
using System.Text.Json;
using ControlPlane.SlackHandler.Messages;
using ControlPlane.SlackHandler.WebApi;
using ControlPlane.Tenants;

namespace ControlPlane.SlackHandler.Commands;

/// <summary>The modal with a workflow's parameters as fields, made from the catalogue; and what its fields hold, read by the same catalogue.</summary>
/// <remarks>https://docs.slack.dev/reference/views/modal-views. A field's block is named by its place and its parameter, so that names which differ in their
/// case alone stay apart.</remarks>
internal static class RunModal
{
    public const string CallbackId = "run";

    // https://docs.slack.dev/reference/views and /reference/block-kit, in characters
    private const int MostFields = 98;
    private const int LongestTitle = 24;
    private const int LongestLabel = 200;
    private const int LongestHint = 300;
    private const int LongestText = 3000;
    private const int LongestChoice = 75;
    private const int MostChoices = 100;
    private const int LongestBlockId = 255;

    private const string Element = "value";
    private const string Yes = "yes";

    /// <summary>Whether its parameters fit into a modal.</summary>
    public static bool Fits(Workflow workflow) =>
        workflow.Parameters.Count <= MostFields && workflow.Parameters.Index().All(one => BlockOf(one.Index, one.Item).Length <= LongestBlockId);

    /// <returns>The view, as UTF-8 JSON.</returns>
    public static ReadOnlyMemory<byte> ViewOf(Workflow workflow, string metadata)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", "modal");
            json.WriteString("callback_id", CallbackId);
            json.WriteString("private_metadata", metadata);
            WritePlain(json, "title", workflow.Name.ToString(), LongestTitle);
            WritePlain(json, "submit", "Run", LongestTitle);
            WritePlain(json, "close", "Not now", LongestTitle);
            json.WriteStartArray("blocks");
            WriteSection(json, workflow.Parameters.Count == 0
                ? SlackText.Of($"Run *{workflow.Name.ToString()}*? It takes no inputs.")
                : SlackText.Of($"What *{workflow.Name.ToString()}* is to run with. Fields that are not marked optional are needed."));
            foreach (var (index, parameter) in workflow.Parameters.Index())
                WriteField(json, BlockOf(index, parameter), parameter);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    /// <summary>What the fields hold, as <c>run</c> takes it: texts as typed, yes and no; nothing for a field left empty.</summary>
    /// <returns>Null when a field is not one that was offered.</returns>
    public static JsonElement? InputsIn(IReadOnlyDictionary<string, JsonElement> values)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        var names = new HashSet<string>(StringComparer.Ordinal);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (block, element) in values)
            {
                if (NameIn(block) is not { } name || !names.Add(name))
                    return null;
                if (SlackWebApi.TextIn(element, "type") == "checkboxes")
                    json.WriteBoolean(
                        name, element.TryGetProperty("selected_options", out var chosen) && chosen.ValueKind == JsonValueKind.Array && chosen.GetArrayLength() > 0);
                else if ((SlackWebApi.TextIn(element, "value") ?? SlackWebApi.TextIn(element, "selected_option", "value")) is { Length: > 0 } text)
                    json.WriteString(name, text);
            }
            json.WriteEndObject();
        }
        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>What is wrong, at the field that it is wrong with; what belongs to none, because the workflow was changed meanwhile, at the
    /// first one.</summary>
    public static IReadOnlyDictionary<string, string> FaultsByBlock(IReadOnlyList<InputFault> faults, IEnumerable<string> blocks)
    {
        var fields = blocks.Select(block => (Block: block, Name: NameIn(block))).ToList();
        var byBlock = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var fault in faults)
        {
            var own = fields.Find(field => field.Name == fault.Name).Block;
            var block = own ?? (fields.Count > 0 ? fields[0].Block : "");
            var said = own is null && fault.Name.Length > 0 ? $"The workflow was changed meanwhile: {fault.InPlainWords} Close this and begin again." : fault.InPlainWords;
            byBlock[block] = byBlock.TryGetValue(block, out var before) ? $"{before} {said}" : said;
        }
        return byBlock;
    }

    private static string BlockOf(int index, WorkflowParameter parameter) => string.Create(CultureInfo.InvariantCulture, $"{index}:{parameter.Name}");

    private static string? NameIn(string block) => block.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? block[(colon + 1)..] : null;

    private static void WriteField(Utf8JsonWriter json, string block, WorkflowParameter parameter)
    {
        json.WriteStartObject();
        json.WriteString("type", "input");
        json.WriteString("block_id", block);
        // No box ticked is "no": Slack must not ask for one.
        json.WriteBoolean("optional", parameter.Type == ParameterType.Boolean || !parameter.Required);
        WritePlain(json, "label", parameter.Name, LongestLabel);
        if (Hint(parameter) is { Length: > 0 } hint)
            WritePlain(json, "hint", hint, LongestHint);
        json.WriteStartObject("element");
        json.WriteString("action_id", Element);
        switch (parameter)
        {
            case { Type: ParameterType.Boolean }:
                WriteCheckbox(json, parameter);
                break;
            case { Type: ParameterType.Enum, Values: { Count: > 0 and <= MostChoices } choices }
                when choices.All(choice => choice.Length is > 0 and <= LongestChoice):
                WriteSelect(json, parameter, choices);
                break;
            case { Type: ParameterType.Integer or ParameterType.Number }:
                WriteNumber(json, parameter);
                break;
            default:
                WriteText(json, parameter);
                break;
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteCheckbox(Utf8JsonWriter json, WorkflowParameter parameter)
    {
        json.WriteString("type", "checkboxes");
        json.WriteStartArray("options");
        WriteOption(json, "Yes", Yes);
        json.WriteEndArray();
        if (parameter.Default is { ValueKind: JsonValueKind.True })
        {
            json.WriteStartArray("initial_options");
            WriteOption(json, "Yes", Yes);
            json.WriteEndArray();
        }
    }

    private static void WriteSelect(Utf8JsonWriter json, WorkflowParameter parameter, IReadOnlyList<string> choices)
    {
        json.WriteString("type", "static_select");
        WritePlain(json, "placeholder", "Choose one", LongestTitle);
        json.WriteStartArray("options");
        foreach (var choice in choices)
            WriteOption(json, choice, choice);
        json.WriteEndArray();
        if (Default(parameter) is { } initial && choices.Contains(initial))
        {
            json.WritePropertyName("initial_option");
            WriteOption(json, initial, initial);
        }
    }

    private static void WriteNumber(Utf8JsonWriter json, WorkflowParameter parameter)
    {
        json.WriteString("type", "number_input");
        json.WriteBoolean("is_decimal_allowed", parameter.Type == ParameterType.Number);
        if (parameter.Minimum is { } least)
            json.WriteString("min_value", least.ToString("R", CultureInfo.InvariantCulture));
        if (parameter.Maximum is { } most)
            json.WriteString("max_value", most.ToString("R", CultureInfo.InvariantCulture));
        if (Default(parameter) is { } initial)
            json.WriteString("initial_value", initial);
    }

    private static void WriteText(Utf8JsonWriter json, WorkflowParameter parameter)
    {
        var longest = Math.Clamp(parameter.MaxLength ?? LongestText, 1, LongestText);
        json.WriteString("type", "plain_text_input");
        json.WriteNumber("max_length", longest);
        json.WriteBoolean("multiline", longest > 300);
        if (Default(parameter) is { Length: > 0 } initial && initial.Length <= longest)
            json.WriteString("initial_value", initial);
    }

    private static void WriteOption(Utf8JsonWriter json, string text, string value)
    {
        json.WriteStartObject();
        WritePlain(json, "text", text, LongestChoice);
        json.WriteString("value", value);
        json.WriteEndObject();
    }

    private static void WriteSection(Utf8JsonWriter json, SlackText text) => JsonSerializer.Serialize(json, Block.Section(text), SlackJson.Default.Block);

    private static void WritePlain(Utf8JsonWriter json, string name, string text, int longest)
    {
        json.WritePropertyName(name);
        JsonSerializer.Serialize(json, TextObject.Plain(text, longest), SlackJson.Default.TextObject);
    }

    private static string Hint(WorkflowParameter parameter)
    {
        var kind = parameter.Type is ParameterType.Boolean or ParameterType.String && parameter.MaxLength is null ? "" : $"It must be {WorkflowInputs.Expected(parameter)}.";
        return string.Join(' ', new[] { parameter.Description?.Trim(), kind }.Where(text => !string.IsNullOrEmpty(text)));
    }

    private static string? Default(WorkflowParameter parameter) =>
        parameter.Default is { ValueKind: not JsonValueKind.Null and not JsonValueKind.Undefined } value ? value.ToString() : null;
}
