/**
 * Gives `work` a signal that aborts after `ms`. Unlike that of `AbortSignal.timeout` its timer ends with the work: on
 * workerd a timer that is left keeps an object in memory.
 */
export async function withinMs<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const expire = (): void => controller.abort(new DOMException(`Not done within ${ms} ms.`, "TimeoutError"));
  const timer = setTimeout(expire, ms);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
  }
}
