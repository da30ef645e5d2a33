/** All that is watched for some names, once or until it is told to stop. */
import type { Clock } from "../../../shared/clock.ts";
import type { CaaWatch } from "./caa-watch.ts";
import type { CertificateJudge } from "./certificate-judge.ts";
import type { KnownKeys } from "./known-keys.ts";
import type { LogWatch } from "./log-watch.ts";
import type { MemoryFile, WatchMemory } from "./memory.ts";
import type { Outbox } from "./outbox.ts";

/** How often the outbox is looked at; each alert in it has a time of its own. */
const deliveryIntervalMs = 5_000;

export interface WatcherOptions {
  readonly names: readonly string[];
  readonly logs: readonly LogWatch[];
  /** Undefined: CAA is not watched. */
  readonly caa: CaaWatch | undefined;
  readonly known: KnownKeys;
  readonly judge: CertificateJudge;
  readonly outbox: Outbox;
  readonly file: MemoryFile;
  readonly clock: Clock;
  readonly everyMs: number;
}

/** 0: nothing foreign; 1: something foreign; 2: something could not be checked. */
export type WatchVerdict = 0 | 1 | 2;

export class Watcher {
  readonly #options: WatcherOptions;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  async once(signal: AbortSignal): Promise<WatchVerdict> {
    const { names, logs, caa, known, judge, outbox, file, clock } = this.#options;
    await this.#askNodes(signal);
    const watches = caa ? [...logs, caa] : logs;
    const looks = await Promise.all(watches.map((watch) => watch.round(signal)));
    const checked = looks.every(Boolean);
    await outbox.deliverDue(signal);
    return decideVerdict({
      memory: file.memory,
      names,
      caa: caa !== undefined,
      unreadable: judge.unreadable,
      now: clock.now(),
      checked: checked && names.every((name) => known.knowsAny(name)),
    });
  }

  /** Rounds until the signal aborts. A log that is far behind holds up none of the others. */
  async always(signal: AbortSignal): Promise<void> {
    const { logs, caa, outbox, everyMs } = this.#options;
    await this.#askNodes(signal);
    const failed = new AbortController();
    const until = AbortSignal.any([signal, failed.signal]);
    try {
      await Promise.all([
        ...logs.map((log) => this.#repeat(everyMs, until, () => log.round(until))),
        this.#repeat(everyMs, until, () => this.#askNodes(until)),
        this.#repeat(everyMs, until, () => caa?.round(until)),
        this.#repeat(deliveryIntervalMs, until, () => outbox.deliverDue(until)),
      ]);
    } finally {
      failed.abort();
    }
  }

  async #askNodes(signal: AbortSignal): Promise<void> {
    const { names, known, judge } = this.#options;
    await Promise.all(names.map((name) => known.refresh(name, signal)));
    judge.explain();
  }

  async #repeat(everyMs: number, signal: AbortSignal, action: () => Promise<unknown> | undefined): Promise<void> {
    try {
      for (;;) {
        await action();
        await this.#options.clock.sleep(everyMs, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

export interface WatchFindings {
  readonly memory: Pick<WatchMemory, "told" | "caa">;
  readonly names: readonly string[];
  /** Whether CAA is watched. */
  readonly caa: boolean;
  /** Entries of this run that mention a name and could not be read. */
  readonly unreadable: number;
  readonly now: number;
  /** Whether all could be looked at. */
  readonly checked: boolean;
}

/** What is foreign stays so, over runs, until its key is attested or expected, or its time is over. */
export function decideVerdict({ memory, names, caa, unreadable, now, checked }: WatchFindings): WatchVerdict {
  const foreign = memory.told.some((one) => !one.explained && one.notAfter > now && names.includes(one.name));
  const open = caa && names.some((name) => (memory.caa[name]?.openings.length ?? 0) > 0);
  if (foreign || open || unreadable > 0) return 1;
  return checked ? 0 : 2;
}
