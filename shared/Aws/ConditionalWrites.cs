using Amazon.DynamoDBv2.Model;

namespace ControlPlane.Aws;

internal static class ConditionalWrites
{
    /// <summary>Whether a write was made; false where what it asks of the item that is there does not hold.</summary>
    public static async Task<bool> IsMadeAsync(this Task write)
    {
        try
        {
            await write;
            return true;
        }
        catch (ConditionalCheckFailedException)
        {
            return false;
        }
    }
}
