import type { Call } from "../api/call.ts";
import type { AnswerProof } from "../providers/provider.ts";
import type { Route } from "../routing/route.ts";
import type { AttemptRecord, RequestRecord, Track, TrackEnd } from "./track.ts";

export type TrackedCall = Pick<Call, "id" | "surface" | "endpoint" | "model" | "stream" | "startedAt">;

export interface CallTrackOptions {
  readonly call: TrackedCall;
  /** Unix milliseconds. */
  readonly at: number;
  /** Milliseconds of the clock of `startedAt`. */
  readonly monotonic: () => number;
  readonly onEnd: (record: RequestRecord) => void;
  /** An answer was proved, or was not, after its call had ended. */
  readonly onProof: (id: string, proof: AnswerProof) => void;
}

/** A client may say any text as a model's name. */
const maxModelLength = 200;
const noRoute: RequestRecord["route"] = { candidates: [], passedOver: [] };
const noAttempts: readonly AttemptRecord[] = [];

/** What becomes of one call, until it is a record. */
export class CallTrack implements Track {
  readonly #options: CallTrackOptions;
  #keyId: string | undefined;
  #queuedMs = 0;
  #route: Route | undefined;
  #attempts: AttemptRecord[] | undefined;
  #ttftMs: number | undefined;
  #proof: AnswerProof | undefined;
  #ended = false;

  constructor(options: CallTrackOptions) {
    this.#options = options;
  }

  keyed(keyId: string | undefined): void {
    this.#keyId = keyId;
  }

  queued(ms: number): void {
    this.#queuedMs = ms;
  }

  routed(route: Route): void {
    this.#route = route;
  }

  attempted(attempt: AttemptRecord): void {
    (this.#attempts ??= []).push(attempt);
  }

  firstByte(): void {
    this.#ttftMs ??= this.#elapsedMs();
  }

  proved(proof: AnswerProof): void {
    if (this.#ended) this.#options.onProof(this.#options.call.id, proof);
    else this.#proof = proof;
  }

  end({ status, error, failed, tokens }: TrackEnd): void {
    if (this.#ended) throw new Error("The end of this call was told already.");
    this.#ended = true;
    const { call, at, onEnd } = this.#options;
    const last = this.#attempts?.at(-1);
    onEnd({
      id: call.id,
      at,
      surface: call.surface,
      endpoint: call.endpoint.name,
      key: this.#keyId,
      model: call.model.length > maxModelLength ? `${call.model.slice(0, maxModelLength)}…` : call.model,
      stream: call.stream,
      provider: last?.provider,
      upstreamModel: last?.model,
      status,
      error,
      failed,
      queuedMs: this.#queuedMs,
      ttftMs: this.#ttftMs,
      durationMs: this.#elapsedMs(),
      tokens,
      attempts: this.#attempts ?? noAttempts,
      proof: this.#proof,
      route: this.#route ? routeOf(this.#route) : noRoute,
    });
  }

  #elapsedMs(): number {
    return this.#options.monotonic() - this.#options.call.startedAt;
  }
}

/** Without the providers themselves, which may be gone when somebody reads it. */
function routeOf({ candidates, passedOver }: Route): RequestRecord["route"] {
  return {
    candidates: candidates.map(({ provider, model, reason }) => ({ provider: provider.id, model, reason })),
    passedOver,
  };
}
