/** Takes one answer of a provider, piece by piece, and judges it. */
import type { Tokens } from "../../tracking/track.ts";
import type { UpstreamHeaders, Outcome } from "../attempts/outcome.ts";

/** How an answer came to its end: as HTTP has it, cut off, or nothing came any more. */
export type EndOfBytes = "complete" | "cut" | "silent";

export interface Receiver {
  /** Says what it amounts to as soon as that is certain, before its end. */
  take(piece: Buffer): Outcome | undefined;
  end(how: EndOfBytes): Outcome;
  /** What has been generated so far, for a client that left. */
  tokensSoFar(): Tokens;
}

/** What a receiver asks of its attempt. */
export interface AttemptSide {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** The first token is here: from now on only silence between pieces is limited. */
  firstToken(): void;
  /** The answer is good so far: its head goes to the client, and no other provider can take over any more. */
  begin(): void;
  /** The client is slow: nothing is read until it has taken what it was given. */
  pause(): void;
}

export const reasons = {
  complete: "the answer ended before it was complete",
  cut: "the answer broke off",
  silent: "the answer stood still",
} as const satisfies Record<EndOfBytes, string>;
