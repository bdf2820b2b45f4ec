using FedSeg.Egress.Review;
using FedSeg.Egress.Tests;

namespace FedSeg.Desk.Tests;

/// <summary>What the agent's DeskWatch does, beside a page that a test drives.</summary>
internal sealed class ObeyingAgent : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HospitalOnDisk _hospital;
    private readonly Task _work;

    public ObeyingAgent(HospitalOnDisk hospital)
    {
        _hospital = hospital;
        _work = ObeyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        _stop.Dispose();
    }

    private async Task ObeyAsync()
    {
        var box = new OrderBox(DeskClient.OrdersOf(_hospital.Root));
        while (!_stop.IsCancellationRequested)
        {
            foreach (var placed in box.Read())
            {
                await _hospital.Gate.Desk.ObeyAsync(placed.Order);
                OrderBox.Remove(placed);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, CancellationToken.None);
        }
    }
}
