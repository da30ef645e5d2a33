interface Period {
  readonly listeners: Set<() => void>;
  readonly timer: NodeJS.Timeout;
}

const periods = new Map<number, Period>();

/**
 * Calls the listener every `ms`, the first time within that; answers what stops it. All listeners of one period share a
 * timer, since those who come and go by the hundred a second should not each begin and end one.
 */
export function everyMs(ms: number, listener: () => void): () => void {
  const period = periods.get(ms) ?? begin(ms);
  period.listeners.add(listener);
  return () => void period.listeners.delete(listener);
}

/** The timer ends by itself, once nobody has listened for a whole period. */
function begin(ms: number): Period {
  const listeners = new Set<() => void>();
  const timer = setInterval(() => {
    for (const listener of listeners) listener();
    if (listeners.size > 0) return;
    clearInterval(timer);
    periods.delete(ms);
  }, ms).unref();
  const period = { listeners, timer };
  periods.set(ms, period);
  return period;
}
