using Amazon.DynamoDBv2;
using Amazon.SecretsManager;
using Amazon.SQS;
using ControlPlane.Executions;

namespace ControlPlane.Operator.Deployments;

/// <summary>Where a control plane keeps its things. Tables, queues and secrets are asked for by their names in serverless.template.</summary>
internal abstract class Deployment
{
    /// <summary>To stand in a sentence: <c>the stack control-plane in us-east-1</c>.</summary>
    public abstract string InWords { get; }

    /// <summary>What to look at when nothing of it answers or nothing is there.</summary>
    public abstract string Mend { get; }

    /// <summary>The region's name, like us-east-1.</summary>
    /// <exception cref="NoDeploymentException">None is known.</exception>
    public abstract string Region { get; }

    /// <summary>The name of its stack, where it is one, and else the name that it would have.</summary>
    public virtual string Stack => StackDeployment.StandardStack;

    /// <summary>The control plane's URL as its tokens have it; null where it is not to be found from here.</summary>
    public abstract Task<string?> IssuerAsync(IAmazonSQS sqs, CancellationToken cancel);

    /// <summary>Where a region's <c>/health</c> is asked; null where nobody says.</summary>
    /// <param name="domain">The public domain.</param>
    public abstract Uri? HealthAddress(string region, string? domain);

    /// <summary>What becomes of a new tenant's engine here, where that is not the operator's to see to; null elsewhere.</summary>
    public virtual string? NoteOnEngineOf(string tenant) => null;

    public abstract string TableOf(string logicalId);

    public abstract string SecretOf(string logicalId);

    /// <exception cref="NoDeploymentException">It has no such queue.</exception>
    public abstract Task<string> QueueUrlOfAsync(string logicalId, IAmazonSQS sqs, CancellationToken cancel);

    /// <summary>Who uses this tool, as it goes on record.</summary>
    public abstract Task<OperatorId> CallerAsync(CancellationToken cancel);

    public abstract IAmazonDynamoDB NewDynamo();

    public abstract IAmazonSQS NewSqs();

    public abstract IAmazonSecretsManager NewSecretsManager();
}

/// <summary>There is no control plane where the operator says it is. The message is for the operator, mend included.</summary>
internal sealed class NoDeploymentException(string message) : Exception(message);
