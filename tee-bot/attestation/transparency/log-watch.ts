/** Watches one log: rounds that read what has come, at a bounded pace, and remember how far they came. */
import type { Trouble } from "../../../shared/acme/ports.ts";
import type { Clock } from "../../../shared/clock.ts";
import { AppError, errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { CertificateJudge } from "./certificate-judge.ts";
import { followLog, type LogPosition } from "./follow-log.ts";
import type { CertificateLog } from "./log/certificate-log.ts";
import type { MemoryFile } from "./memory.ts";
import type { Raise } from "./voice.ts";

/** Something broken on the way looks like a log that lies; it seldom does so twice. */
export const secondLookMs = 5_000;
const saveIntervalMs = 2_000;

export interface LogWatchOptions {
  readonly log: CertificateLog;
  readonly from: "now" | number;
  readonly entriesPerSecond: number;
  readonly judge: CertificateJudge;
  readonly file: MemoryFile;
  readonly raise: Raise;
  readonly clock: Clock;
  readonly report: Log;
}

export class LogWatch {
  readonly #options: LogWatchOptions;
  #refused = "";
  #savedAt = 0;

  constructor(options: LogWatchOptions) {
    this.#options = options;
  }

  /** What the log showed last that cannot be. */
  get trouble(): Trouble | undefined {
    if (this.#refused === "") return undefined;
    return {
      detail: `The log ${this.#options.log.url} cannot be believed: ${this.#refused}`,
      remedy: "Watch another log as well, and tell those who run this one, and its users, what it has shown.",
    };
  }

  /** One round. False: the log could not be checked. */
  async round(signal: AbortSignal): Promise<boolean> {
    const { log, clock, report } = this.#options;
    try {
      try {
        await this.#follow(signal);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        await clock.sleep(secondLookMs, signal);
        await this.#follow(signal);
      }
      this.#refused = "";
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (isRefusal(error)) this.#refuse(error.detail);
      report.warn("log.unread", { log: log.url, error: errorText(error) });
      return false;
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { log, from, judge, file, clock, report } = this.#options;
    let read = 0;
    let batchAt = clock.now();
    try {
      await followLog(
        {
          log,
          from,
          now: clock.now(),
          position: this.#position(),
          onEntries: async (entries, position) => {
            const told = await judge.judge(log.url, entries, signal);
            this.#remember(position, told);
            read += entries.length;
            await clock.sleep(this.#pauseMs(entries.length, clock.now() - batchAt), signal);
            batchAt = clock.now();
          },
        },
        signal,
      );
    } finally {
      file.save();
    }
    const { size, next } = file.memory.logs[log.url] ?? { size: 0, next: 0 };
    report.info("log.read", { log: log.url, entries: read, next, size, signed: log.signed });
  }

  #pauseMs(entries: number, tookMs: number): number {
    return Math.max(0, (entries * 1_000) / this.#options.entriesPerSecond - tookMs);
  }

  #position(): LogPosition | undefined {
    const { log, file } = this.#options;
    const kept = file.memory.logs[log.url];
    if (!kept) return undefined;
    const { size, root, timestamp, next } = kept;
    return { head: { size, root: Buffer.from(root, "hex"), timestamp }, next };
  }

  #remember({ head: { size, root, timestamp }, next }: LogPosition, told: boolean): void {
    const { log, file, clock } = this.#options;
    file.memory.logs[log.url] = { size, root: Buffer.from(root).toString("hex"), timestamp, next };
    if (!told && clock.now() - this.#savedAt < saveIntervalMs) return;
    file.save();
    this.#savedAt = clock.now();
  }

  /** Tells it once, until the log can be read again or something else is wrong. */
  #refuse(detail: string): void {
    const { log, raise, file } = this.#options;
    if (detail === this.#refused) return;
    this.#refused = detail;
    raise("log.refused", { log: log.url, detail });
    file.save();
  }
}

const isRefusal = (error: unknown): error is AppError =>
  error instanceof AppError && error.code === "evidence-rejected";
