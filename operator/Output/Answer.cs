using System.Text.Json.Serialization.Metadata;

namespace ControlPlane.Operator.Output;

/// <summary>What a command came to.</summary>
internal abstract record Answer
{
    private Answer() { }

    /// <summary>Something to show, as JSON or drawn.</summary>
    public abstract record Shown : Answer
    {
        public abstract string ToJson();

        public abstract void Draw(Page page);

        /// <summary>The same in rows; null where it has none.</summary>
        public Rows? Rows { get; init; }

        /// <summary>What the operator should know besides: a line each on the error stream, whatever the output's form.</summary>
        public IReadOnlyList<string> Warnings { get; init; } = [];

        /// <summary>What was looked at is not as it should be, which a script wants to know: the exit code says so.</summary>
        public bool IsAlarming { get; init; }

        /// <summary>It will not change any more: to watch it on is no use.</summary>
        public bool IsFinal { get; init; }

        /// <summary>What a person should know besides, where the output itself goes into a file: on the error stream too, and members of the JSON.</summary>
        public IReadOnlyList<string> Notes { get; init; } = [];
    }

    /// <summary>It was not done.</summary>
    /// <param name="Why">One line: what is in the way, and how it is mended.</param>
    public sealed record NotDone(string Why) : Answer;

    public static Shown Show<T>(T value, JsonTypeInfo<T> type, Action<Page> draw) => new ShownAs<T>(value, type, draw);

    private sealed record ShownAs<T>(T Value, JsonTypeInfo<T> Type, Action<Page> Drawing) : Shown
    {
        public override string ToJson() => System.Text.Json.JsonSerializer.Serialize(Value, Type);

        public override void Draw(Page page) => Drawing(page);
    }
}
