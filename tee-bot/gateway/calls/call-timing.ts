/** Where the time of a call went until its answer began: `server-timing` tells the client. */
export class CallTiming {
  readonly #startedAt: number;
  #uploadedAt: number;
  #queuedMs = 0;
  #dispatchedAt: number | undefined;

  constructor(startedAt: number) {
    this.#startedAt = startedAt;
    this.#uploadedAt = performance.now();
  }

  get sinceStartMs(): number {
    return performance.now() - this.#startedAt;
  }

  queued(ms: number): void {
    this.#queuedMs = ms;
  }

  /** The first attempt begins; from here on everything is the providers' time, until the head of the answer. */
  dispatched(): void {
    this.#dispatchedAt ??= performance.now();
  }

  /** The value of `server-timing`; the client's own upload is nobody's time. */
  header(): string {
    const now = performance.now();
    const upstreamMs = this.#dispatchedAt === undefined ? 0 : now - this.#dispatchedAt;
    const gatewayMs = now - this.#uploadedAt - upstreamMs - this.#queuedMs;
    return `gw;dur=${tenths(gatewayMs)}, queue;dur=${tenths(this.#queuedMs)}, upstream;dur=${tenths(upstreamMs)}`;
  }
}

function tenths(ms: number): number {
  return Math.max(0, Math.round(ms * 10) / 10);
}
