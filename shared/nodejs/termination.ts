/**
 * An AbortSignal for the end of this process: SIGINT, SIGTERM, or the death of the launcher that started it with
 * an IPC channel (the channel closes however the launcher dies, so nothing outlives a SIGKILL of it).
 */
export function onTermination(): AbortSignal {
  const controller = new AbortController();
  const stop = (reason: string) => (): void => controller.abort(new Error(reason));
  process.once("SIGINT", stop("SIGINT"));
  process.once("SIGTERM", stop("SIGTERM"));
  if (process.connected) {
    process.once("disconnect", stop("the launcher is gone"));
    process.channel?.unref();
  }
  return controller.signal;
}

/** Resolves when the signal aborts. Keeps the process alive until then. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const alive = setInterval(() => {}, 2 ** 30);
    signal.addEventListener("abort", () => (clearInterval(alive), resolve()), { once: true });
  });
}
