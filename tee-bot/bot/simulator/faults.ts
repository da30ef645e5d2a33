/** What can go wrong with signal-cli-rest-api and with Signal behind it, to be switched while it runs. */

export type FailureReason =
  | "NETWORK_FAILURE"
  | "UNREGISTERED_FAILURE"
  | "IDENTITY_FAILURE"
  | "RATE_LIMIT_FAILURE"
  | "INVALID_PRE_KEY_FAILURE";

/** How one `POST /v2/send` goes wrong. */
export type SendFault =
  /** No answer ever comes. */
  | { readonly kind: "hang"; readonly delivered: boolean }
  /** 429, until a challenge is solved where there is a token. */
  | { readonly kind: "rate-limited"; readonly token?: string }
  | { readonly kind: "untrusted" }
  /** 400 for no reason that is told. */
  | { readonly kind: "failed" }
  /** Some people of a group, by name, are not reached; the older answer does not say so. */
  | { readonly kind: "partial"; readonly reasons: Readonly<Record<string, FailureReason>> }
  /** The server dies with the call in hand. */
  | { readonly kind: "crash"; readonly delivered: boolean }
  | { readonly kind: "slow"; readonly ms: number };

export class Faults {
  /** How long each call takes that signal-cli has to answer. */
  callMs = 0;
  /** No call that signal-cli has to answer is answered any more, nor done. */
  hang = false;
  /** Each message is emitted twice. */
  duplicate = false;
  /** A message is emitted before the one that was sent earlier, where two are waiting. */
  reorder = false;
  /**
   * The server dies when so many of its calls are open at once. The real one does so by chance: answers are looked up in a map
   * without its lock (issues 555 and 885 of signal-cli-rest-api).
   */
  crashAtCalls = Number.POSITIVE_INFINITY;
  #sends: { readonly fault: SendFault; readonly left: number }[] = [];

  /** The next calls of `/v2/send`, after those that were named before; Infinity: until it is cleared. */
  failSends(fault: SendFault, times = 1): void {
    this.#sends.push({ fault, left: times });
  }

  takeSendFault(): SendFault | undefined {
    const [first, ...others] = this.#sends;
    if (!first) return undefined;
    this.#sends = first.left > 1 ? [{ ...first, left: first.left - 1 }, ...others] : others;
    return first.fault;
  }

  /** Whether anybody waited for this challenge; sends are let through then. */
  solveChallenge(token: string): boolean {
    const left = this.#sends.filter(({ fault }) => fault.kind !== "rate-limited" || fault.token !== token);
    const solved = left.length < this.#sends.length;
    this.#sends = left;
    return solved;
  }

  clear(): void {
    this.#sends = [];
    this.callMs = 0;
    this.hang = false;
    this.duplicate = false;
    this.reorder = false;
    this.crashAtCalls = Number.POSITIVE_INFINITY;
  }
}
