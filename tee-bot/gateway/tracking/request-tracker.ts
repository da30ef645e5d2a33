import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import type { Batches } from "../../store/batches.ts";
import { CallTrack, type TrackedCall } from "./call-track.ts";
import { RecordFeed, type RecordListener } from "./record-feed.ts";
import { RequestLog, type RequestLogSettings } from "./request-log.ts";
import { RequestMetrics } from "./request-metrics.ts";
import type { AnswerProof } from "../providers/provider.ts";
import type { RequestRecord, Track, Tracker } from "./track.ts";

export interface RequestTrackerOptions {
  store: DatabaseSync;
  batches: Batches;
  settings: RequestLogSettings;
  clock: Clock;
  log: Log;
  /** The clock of `startedAt`. */
  monotonic?: () => number;
}

/** Follows each call from its beginning, and remembers what became of it: for its trace, the metrics and whoever listens. */
export class RequestTracker implements Tracker, Disposable {
  readonly metrics = new RequestMetrics();
  readonly #clock: Clock;
  readonly #monotonic: () => number;
  readonly #requests: RequestLog;
  readonly #feed: RecordFeed;

  constructor(options: RequestTrackerOptions) {
    this.#clock = options.clock;
    this.#monotonic = options.monotonic ?? (() => performance.now());
    this.#requests = new RequestLog(options);
    this.#feed = new RecordFeed(options);
  }

  follow(settings: RequestLogSettings): void {
    this.#requests.follow(settings);
  }

  begin(call: TrackedCall): Track {
    return new CallTrack({
      call,
      at: this.#clock.now(),
      monotonic: this.#monotonic,
      onEnd: this.#onEnd,
      onProof: this.#onProof,
    });
  }

  /** A call that has ended. */
  find(id: string): RequestRecord | undefined {
    return this.#requests.find(id);
  }

  /** The newest first, or those before another one. */
  list(limit: number, before?: string): RequestRecord[] {
    return this.#requests.list(limit, before);
  }

  /** Tells of calls as they end; answers what ends it. */
  onRecord(listener: RecordListener): () => void {
    return this.#feed.listen(listener);
  }

  [Symbol.dispose](): void {
    this.#requests[Symbol.dispose]();
  }

  readonly #onEnd = (record: RequestRecord): void => {
    this.metrics.count(record);
    if (record.proof) this.metrics.countProof(record.proof);
    this.#requests.add(record);
    this.#feed.add(record);
  };

  readonly #onProof = (id: string, proof: AnswerProof): void => {
    this.metrics.countProof(proof);
    this.#requests.prove(id, proof);
  };
}
