namespace Amazon.Lambda.SQSEvents;

/// <summary>A batch of messages from one queue.</summary>
/// <remarks>https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html</remarks>
public class SQSEvent
{
    public List<SQSMessage> Records { get; set; } = null!;

    public class SQSMessage
    {
        public string MessageId { get; set; } = null!;
        public string ReceiptHandle { get; set; } = null!;
        public string Body { get; set; } = null!;
        public string? Md5OfBody { get; set; }
        public string? Md5OfMessageAttributes { get; set; }
        public string EventSourceArn { get; set; } = null!;
        public string EventSource { get; set; } = null!;
        public string AwsRegion { get; set; } = null!;

        /// <summary>What SQS knows of the message: <c>ApproximateReceiveCount</c>, <c>SentTimestamp</c>, <c>MessageGroupId</c> …</summary>
        public Dictionary<string, string> Attributes { get; set; } = null!;

        /// <summary>What the sender attached.</summary>
        public Dictionary<string, MessageAttribute> MessageAttributes { get; set; } = null!;
    }

    public class MessageAttribute
    {
        public string? StringValue { get; set; }
        public MemoryStream? BinaryValue { get; set; }
        public List<string>? StringListValues { get; set; }
        public List<MemoryStream>? BinaryListValues { get; set; }
        public string DataType { get; set; } = null!;
    }
}
