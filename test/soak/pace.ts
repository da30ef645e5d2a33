/** Keeps a soak from taking more of the machine than it may: the more it uses, the longer the gap between two visitors. */
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { readCpuSeconds } from "../bench/support/proc.ts";

const lookMs = 1_000;
const minGapMs = 5;
const maxGapMs = 1_000;

export class Pace implements Disposable {
  readonly #watch: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  #gapMs = 50;
  #used = 0;

  /** `maxShare` of all cores; `pids` are those of the system, this process is counted too. */
  constructor({ maxShare, pids }: { maxShare: number; pids: () => readonly number[] }) {
    let before = new Map<number, number>();
    let lookedAt = performance.now();
    this.#watch = setInterval(() => {
      const now = performance.now();
      const current = readAll([process.pid, ...pids()]);
      const seconds = usedSince(before, current);
      const share = (seconds * 1_000) / (now - lookedAt) / availableParallelism();
      this.#used += seconds;
      this.#gapMs = decideGapMs(this.#gapMs, share, maxShare);
      before = current;
      lookedAt = now;
    }, lookMs);
  }

  /** Of all cores, since the begin. */
  get share(): number {
    return (this.#used * 1_000) / (performance.now() - this.#startedAt) / availableParallelism();
  }

  /** Resolves when the next visitor may come. */
  next(): Promise<void> {
    return sleep(this.#gapMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watch);
  }
}

/** Quick to slow down and slow to speed up, so that it settles below the limit. */
export function decideGapMs(gapMs: number, share: number, maxShare: number): number {
  const factor = share > maxShare ? Math.min(2, share / maxShare) : 0.9;
  return Math.min(maxGapMs, Math.max(minGapMs, gapMs * factor));
}

/** CPU seconds of processes that were there before; a new one counts from its next look on. */
function usedSince(before: ReadonlyMap<number, number>, now: ReadonlyMap<number, number>): number {
  let seconds = 0;
  for (const [pid, used] of now) seconds += used - (before.get(pid) ?? used);
  return seconds;
}

function readAll(pids: readonly number[]): Map<number, number> {
  const used = new Map<number, number>();
  for (const pid of pids) {
    try {
      used.set(pid, readCpuSeconds(pid));
    } catch {
      // ended meanwhile
    }
  }
  return used;
}
