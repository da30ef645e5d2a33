import type { WorkerCounts } from "../worker.ts";

const numbers = 3;
const numberBytes = 8;
const writeEveryMs = 25;

/** How many visitors and tunnels each thread has, in memory that all see, so that nobody needs to ask. */
export class SharedCounts {
  readonly #numbers: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    this.#numbers = new Float64Array(memory);
  }

  static memory(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(threads * numbers * numberBytes);
  }

  /** Keeps what a thread has current, up to a few milliseconds. */
  write(thread: number, read: () => WorkerCounts): void {
    setInterval(() => this.#write(thread, read()), writeEveryMs).unref();
  }

  /** The thread has ended. */
  forget(thread: number): void {
    this.#write(thread, { visitors: 0, tunnels: 0, lastVisitorAt: undefined });
  }

  get total(): WorkerCounts {
    const total: WorkerCounts = { visitors: 0, tunnels: 0, lastVisitorAt: undefined };
    for (let at = 0; at < this.#numbers.length; at += numbers) {
      const [visitors = 0, tunnels = 0, lastVisitorAt = 0] = this.#numbers.subarray(at, at + numbers);
      total.visitors += visitors;
      total.tunnels += tunnels;
      if (lastVisitorAt > 0) total.lastVisitorAt = Math.max(total.lastVisitorAt ?? 0, lastVisitorAt);
    }
    return total;
  }

  #write(thread: number, { visitors, tunnels, lastVisitorAt = 0 }: WorkerCounts): void {
    this.#numbers.set([visitors, tunnels, lastVisitorAt], thread * numbers);
  }
}
