using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Executions;

/// <summary>What came of one dispatch attempt.</summary>
[JsonConverter(typeof(AttemptResultConverter))]
public abstract record AttemptResult
{
    private AttemptResult() { }

    /// <summary>Its name in tables, in metrics and for people.</summary>
    public abstract string Code { get; }

    public sealed override string ToString() => Code;

    /// <summary>The engine has it.</summary>
    public sealed record Accepted : AttemptResult
    {
        public override string Code => "accepted";
    }

    /// <summary>The engine may have it: nobody knows whether the order arrived.</summary>
    public sealed record Ambiguous : AttemptResult
    {
        public override string Code => "ambiguous";
    }

    /// <summary>The engine does not have it, and is asked again.</summary>
    public sealed record Again : AttemptResult
    {
        public override string Code => "again";
    }

    /// <summary>It ended the execution.</summary>
    public sealed record Failed(DispatchFailure Failure) : AttemptResult
    {
        public override string Code => Failure.Code;
    }

    /// <exception cref="FormatException">No attempt comes to that.</exception>
    public static AttemptResult Parse(string code) => code switch
    {
        "accepted" => new Accepted(),
        "ambiguous" => new Ambiguous(),
        "again" => new Again(),
        _ => new Failed(DispatchFailures.Parse(code)),
    };
}

internal sealed class AttemptResultConverter : JsonConverter<AttemptResult>
{
    public override AttemptResult Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        try
        {
            return AttemptResult.Parse(reader.TokenType == JsonTokenType.String ? reader.GetString()! : "");
        }
        catch (FormatException e)
        {
            throw new JsonException(e.Message);
        }
    }

    public override void Write(Utf8JsonWriter writer, AttemptResult value, JsonSerializerOptions options) => writer.WriteStringValue(value.Code);
}
