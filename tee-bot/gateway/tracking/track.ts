import type { Call, Surface } from "../api/call.ts";
import type { ApiErrorCode, Failed } from "../api/api-error.ts";
import type { EndpointName } from "../api/endpoints.ts";
import type { AnswerProof } from "../providers/provider.ts";
import type { Route } from "../routing/route.ts";

/** One try at one provider. No content, no credentials. */
export interface AttemptRecord {
  readonly provider: string;
  readonly model: string;
  /** Milliseconds since the call began. */
  readonly startedMs: number;
  readonly firstByteMs: number | undefined;
  readonly endedMs: number;
  /** Of the provider's answer; undefined: none came. */
  readonly status: number | undefined;
  /** `answered`, or what went wrong: `upstream_timeout`, `upstream 503`, `client left`. */
  readonly outcome: string;
  /** What was decided then: `retry after 812 ms`, `next provider`, `given up`. */
  readonly decided: string | undefined;
}

/** Tokens of one call; `estimated` when the provider did not count. */
export interface Tokens {
  readonly prompt: number;
  readonly completion: number;
  readonly estimated: boolean;
}

/** One call from its beginning to its end, as kept and as told to subscribers. */
export interface RequestRecord {
  readonly id: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly surface: Surface;
  readonly endpoint: EndpointName;
  /** Id of the API key; undefined: none was asked for. */
  readonly key: string | undefined;
  readonly model: string;
  readonly stream: boolean;
  readonly provider: string | undefined;
  readonly upstreamModel: string | undefined;
  /** What the client got; 499: it left before. */
  readonly status: number;
  readonly error: ApiErrorCode | "upstream_error" | undefined;
  readonly failed: Failed | undefined;
  readonly queuedMs: number;
  /** From the call's beginning to the first byte of the answer. */
  readonly ttftMs: number | undefined;
  readonly durationMs: number;
  readonly tokens: Tokens | undefined;
  readonly attempts: readonly AttemptRecord[];
  /** Where the answer was made, as far as that was looked at; it is known some seconds after the call. */
  readonly proof: AnswerProof | undefined;
  readonly route: { readonly candidates: readonly { provider: string; model: string; reason: string }[] } & Pick<
    Route,
    "passedOver"
  >;
}

/** Told of one call as it goes; `end` is said exactly once, and after it `proved` at most. */
export interface Track {
  keyed(keyId: string | undefined): void;
  queued(ms: number): void;
  routed(route: Route): void;
  attempted(attempt: AttemptRecord): void;
  firstByte(): void;
  /** Also after the end. */
  proved(proof: AnswerProof): void;
  end(end: TrackEnd): void;
}

export interface TrackEnd {
  readonly status: number;
  readonly error?: RequestRecord["error"];
  readonly failed?: Failed | undefined;
  readonly tokens?: Tokens | undefined;
}

export interface Tracker {
  begin(call: Pick<Call, "id" | "surface" | "endpoint" | "model" | "stream" | "startedAt">): Track;
}
