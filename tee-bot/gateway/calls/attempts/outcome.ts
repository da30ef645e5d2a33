import type { Tokens } from "../../tracking/track.ts";

/** Headers of a provider's answer as undici gives them: names in lower case. */
export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** A complete answer of a provider that the client has seen nothing of. */
export interface HeldAnswer {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  readonly body: Buffer;
}

/** How one attempt ended. After `delivered` and `broke-off` the client has had its answer; `left`: nobody wants it. */
export type Outcome =
  /** As it should be, and complete. */
  | { readonly kind: "complete"; readonly answer: HeldAnswer; readonly tokens: Tokens }
  /** The same, and the client has it already; `error`: the provider itself ended its stream with one. */
  | { readonly kind: "delivered"; readonly tokens: Tokens; readonly error?: boolean }
  /** It broke off after the client had seen a part, and the client was told. */
  | { readonly kind: "broke-off"; readonly code: "upstream_broken" | "upstream_timeout"; readonly tokens: Tokens }
  /** Another status than 2xx. */
  | { readonly kind: "refused"; readonly answer: HeldAnswer }
  /** No answer: there was no connection, or it broke before a head came. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** Nothing, or no first token, within the limit. */
  | { readonly kind: "silent"; readonly reason: string }
  /** It began, and was not what the API promises. `answer`: the error it gave instead of an answer. */
  | { readonly kind: "broken"; readonly reason: string; readonly answer?: HeldAnswer }
  /** Its head shows that it must not be passed on. */
  | { readonly kind: "unfit"; readonly reason: string }
  | { readonly kind: "left"; readonly tokens: Tokens | undefined };

/** Those after which the client can still be answered by somebody else. */
export type Failure = Extract<Outcome, { kind: "refused" | "unreachable" | "silent" | "broken" | "unfit" }>;
