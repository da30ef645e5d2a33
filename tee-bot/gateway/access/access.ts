import type { IncomingHttpHeaders } from "node:http";
import type { Call, Surface } from "../api/call.ts";
import type { Tokens } from "../tracking/track.ts";

/** Who calls: one API key, or anybody where none is asked for. */
export interface Caller {
  /** Undefined: no key was asked for. */
  readonly keyId: string | undefined;
  /** Undefined: all models. */
  readonly models: readonly string[] | undefined;
}

/** Whether somebody may call, and when his turn is. */
export interface Access {
  /**
   * Before the body is read. Throws {@link ApiError} `invalid_api_key`, and `rate_limit_exceeded` to an address that has
   * shown too many wrong keys. Costs no I/O.
   */
  authenticate(headers: IncomingHttpHeaders, surface: Surface, client: string): Caller;
  /**
   * Answers at once when it is the call's turn, as it is mostly; a promise when it has to wait. Throws {@link ApiError},
   * or rejects with it: `model_not_allowed`, `rate_limit_exceeded`, `insufficient_quota`, `overloaded`; rejects with the
   * signal's reason when the client leaves meanwhile.
   */
  admit(caller: Caller, call: Call, client: Leaving): Admission | Promise<Admission>;
}

/** Whoever may leave while his call waits. The signal costs something to make, and most calls do not wait. */
export interface Leaving {
  readonly signal: AbortSignal;
}

/** A call that has its turn. */
export interface Admission {
  readonly queuedMs: number;
  /** Names and values in turn, for the answer: what is left of the key's limits. */
  readonly headers: readonly string[];
  /** Ends the turn; `tokens` are counted against the key's limits. Said exactly once. */
  release(tokens: Tokens | undefined): void;
}
