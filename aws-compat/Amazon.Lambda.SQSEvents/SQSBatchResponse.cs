using System.Runtime.Serialization;
using System.Text.Json.Serialization;

namespace Amazon.Lambda.SQSEvents;

/// <summary>The messages to deliver again; an empty list says that the whole batch is done.</summary>
/// <remarks>Lambda reads it only when the event source has <c>ReportBatchItemFailures</c>.</remarks>
[DataContract]
public class SQSBatchResponse
{
    public SQSBatchResponse() : this([]) { }

    public SQSBatchResponse(List<BatchItemFailure> batchItemFailures) => BatchItemFailures = batchItemFailures;

    [DataMember(Name = "batchItemFailures"), JsonPropertyName("batchItemFailures")]
    public List<BatchItemFailure> BatchItemFailures { get; set; }

    [DataContract]
    public class BatchItemFailure
    {
        /// <summary>The message's id. Null or empty makes Lambda deliver the whole batch again.</summary>
        [DataMember(Name = "itemIdentifier"), JsonPropertyName("itemIdentifier")]
        public string ItemIdentifier { get; set; } = null!;
    }
}
