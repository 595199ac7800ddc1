using Amazon.Lambda.Core;
using Amazon.Lambda.RuntimeSupport.Bootstrap;

namespace Amazon.Lambda.RuntimeSupport;

/// <summary>Runs before the first event is asked for. False ends the process quietly; an exception is reported to Lambda as an init error.</summary>
public delegate Task<bool> LambdaBootstrapInitializer();

public class LambdaBootstrapBuilder
{
    private readonly InvocationHandler _handler;
    private readonly ILambdaSerializer? _serializer;
    private readonly LambdaBootstrapOptions _options = new();
    private LambdaBootstrapInitializer? _initializer;

    private LambdaBootstrapBuilder(InvocationHandler handler, ILambdaSerializer? serializer = null) => (_handler, _serializer) = (handler, serializer);

    public static LambdaBootstrapBuilder Create<TInput, TOutput>(Func<TInput, ILambdaContext, Task<TOutput>> handler, ILambdaSerializer serializer) =>
        new(async (input, context, output) => serializer.Serialize(await handler(serializer.Deserialize<TInput>(input), context), output), serializer);

    public static LambdaBootstrapBuilder Create<TInput, TOutput>(Func<TInput, Task<TOutput>> handler, ILambdaSerializer serializer) =>
        new(async (input, _, output) => serializer.Serialize(await handler(serializer.Deserialize<TInput>(input)), output), serializer);

    public static LambdaBootstrapBuilder Create<TInput>(Func<TInput, ILambdaContext, Task> handler, ILambdaSerializer serializer) =>
        new((input, context, _) => handler(serializer.Deserialize<TInput>(input), context), serializer);

    public static LambdaBootstrapBuilder Create<TInput>(Func<TInput, Task> handler, ILambdaSerializer serializer) =>
        new((input, _, _) => handler(serializer.Deserialize<TInput>(input)), serializer);

    public static LambdaBootstrapBuilder Create(Func<Stream, ILambdaContext, Task<Stream>> handler) =>
        new(async (input, context, output) => await CopyAsync(await handler(input, context), output));

    public static LambdaBootstrapBuilder Create(Func<Stream, Task<Stream>> handler) =>
        new(async (input, _, output) => await CopyAsync(await handler(input), output));

    public static LambdaBootstrapBuilder Create(Func<Stream, ILambdaContext, Task> handler) => new((input, context, _) => handler(input, context));

    public static LambdaBootstrapBuilder Create(Func<Stream, Task> handler) => new((input, _, _) => handler(input));

    public static LambdaBootstrapBuilder Create(Func<ILambdaContext, Task> handler) => new((_, context, _) => handler(context));

    public static LambdaBootstrapBuilder Create(Func<Task> handler) => new((_, _, _) => handler());

    public LambdaBootstrapBuilder UseBootstrapHandler(LambdaBootstrapInitializer lambdaBootstrapInitializer)
    {
        _initializer = lambdaBootstrapInitializer;
        return this;
    }

    public LambdaBootstrapBuilder ConfigureOptions(Action<LambdaBootstrapOptions>? options = null)
    {
        options?.Invoke(_options);
        return this;
    }

    public LambdaBootstrap Build() => new(RuntimeApi.At(_options.RuntimeApiEndpoint), _handler, _initializer, _serializer);

    private static async Task CopyAsync(Stream? answer, MemoryStream output)
    {
        if (answer is null)
            return;
        await using (answer)
            await answer.CopyToAsync(output);
    }
}
