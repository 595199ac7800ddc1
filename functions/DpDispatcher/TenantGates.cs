using System.Collections.Concurrent;
using ControlPlane.Tenants;

namespace ControlPlane.DpDispatcher;

/// <summary>Lets some tries a tenant through at once, and hardly any while its engine does not answer, so that one tenant's trouble stays its own.</summary>
/// <remarks>Per process. A fleet of processes tries a tenant that is down at most that many times as often.</remarks>
internal sealed class TenantGates(TimeProvider clock)
{
    public const int TriesAtOnce = 8;

    /// <summary>After how many tries in a row without an answer the gate shuts.</summary>
    public const int ShutsAfter = 3;

    /// <summary>How long a try waits for others of its tenant.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan FirstShut = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestShut = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<TenantId, Gate> _gates = new();

    /// <returns>A pass, to be disposed after the try; or null and how long to stay away.</returns>
    public Task<(Pass? Pass, TimeSpan StayAway)> EnterAsync(TenantId tenant, CancellationToken cancel) =>
        _gates.GetOrAdd(tenant, static (_, clock) => new(clock), clock).EnterAsync(cancel);

    /// <summary>Whether the tenant's engine has not answered lately.</summary>
    public bool IsShut(TenantId tenant) => _gates.TryGetValue(tenant, out var gate) && gate.IsShut;

    public sealed class Pass : IDisposable
    {
        private readonly Gate _gate;
        private readonly bool _isProbe;
        private bool? _answered;

        internal Pass(Gate gate, bool isProbe) => (_gate, _isProbe) = (gate, isProbe);

        /// <param name="answered">Whether the engine gave any answer at all.</param>
        public void Report(bool answered) => _answered = answered;

        public void Dispose() => _gate.Leave(_answered, _isProbe);
    }

    internal sealed class Gate(TimeProvider clock)
    {
        private readonly SemaphoreSlim _places = new(TriesAtOnce);
        private readonly Lock _lock = new();
        private int _silences;
        private bool _isProbing;
        private DateTimeOffset _shutUntil;

        public bool IsShut { get { lock (_lock) return _silences >= ShutsAfter; } }

        public async Task<(Pass? Pass, TimeSpan StayAway)> EnterAsync(CancellationToken cancel)
        {
            if (ShutFor() is { } early)
                return (null, early);
            if (!await WaitForPlaceAsync(cancel))
                return (null, Pauses.Least);

            // Those before us may have found the engine silent.
            lock (_lock)
            {
                if (ShutForWhileLocked() is not { } late)
                {
                    _isProbing = _silences >= ShutsAfter;
                    return (new(this, _isProbing), default);
                }
                _places.Release();
                return (null, late);
            }
        }

        public void Leave(bool? answered, bool isProbe)
        {
            lock (_lock)
            {
                if (answered == true)
                    _silences = 0;
                // Tries that were under way when the gate shut say nothing new.
                else if (answered == false && (isProbe || _silences < ShutsAfter) && ++_silences >= ShutsAfter)
                    _shutUntil = clock.GetUtcNow() + ShutAfter(_silences);
                if (isProbe)
                    _isProbing = false;
            }
            _places.Release();
        }

        private static TimeSpan ShutAfter(int silences) =>
            TimeSpan.FromSeconds(Math.Min(LongestShut.TotalSeconds, FirstShut.TotalSeconds * Math.Pow(2, Math.Min(silences - ShutsAfter, 10))));

        private TimeSpan? ShutFor()
        {
            lock (_lock)
                return ShutForWhileLocked();
        }

        // After the time has passed one try goes ahead, and the others wait for what it finds.
        private TimeSpan? ShutForWhileLocked()
        {
            if (_silences < ShutsAfter)
                return null;
            var left = _shutUntil - clock.GetUtcNow();
            return left > TimeSpan.Zero ? left : _isProbing ? FirstShut : null;
        }

        private async Task<bool> WaitForPlaceAsync(CancellationToken cancel)
        {
            if (_places.Wait(0, CancellationToken.None))
                return true;
            using var patience = new CancellationTokenSource(LongestWait, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancel);
            try
            {
                await _places.WaitAsync(either.Token);
                return true;
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                return false;
            }
        }
    }
}
