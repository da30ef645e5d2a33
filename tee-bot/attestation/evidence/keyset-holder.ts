import type { Clock } from "../../../shared/clock.ts";
import { decideNotAfter, sealKeyset, type KeysetParts, type SealedKeyset, type SignalIdentity } from "./keyset.ts";

/** What changes while the node runs. */
export interface Names {
  readonly hostnames: readonly string[];
  /** The zone they are in. */
  readonly zone: string | undefined;
  /** URIs of the accounts by which certificates for them come, as far as this node knows. */
  readonly acmeAccounts: readonly string[];
}

type FixedParts = Omit<KeysetParts, "hostnames" | "acmeAccounts" | "signal">;

/** The keyset of the moment: sealed anew when names change or the bot's identity, and before it ends. */
export class KeysetHolder {
  readonly #fixed: FixedParts;
  readonly #clock: Clock;
  #names: Names = { hostnames: [], zone: undefined, acmeAccounts: [] };
  #signal: SignalIdentity | undefined;
  #sealed: { readonly notAfter: number; readonly keyset: Promise<SealedKeyset> } | undefined;

  constructor(fixed: FixedParts, clock: Clock) {
    this.#fixed = fixed;
    this.#clock = clock;
  }

  get names(): Names {
    return this.#names;
  }

  /** Whether that is another keyset. */
  follow(names: Names): boolean {
    if (JSON.stringify(names) === JSON.stringify(this.#names)) return false;
    this.#names = names;
    this.#sealed = undefined;
    return true;
  }

  /** Whether that is another keyset. */
  followSignal(identity: SignalIdentity | undefined): boolean {
    if (JSON.stringify(identity) === JSON.stringify(this.#signal)) return false;
    this.#signal = identity;
    this.#sealed = undefined;
    return true;
  }

  get current(): Promise<SealedKeyset> {
    const now = Math.floor(this.#clock.now() / 1000);
    const notAfter = decideNotAfter(now);
    if (this.#sealed?.notAfter !== notAfter)
      this.#sealed = { notAfter, keyset: sealKeyset({ ...this.#fixed, ...this.#names, signal: this.#signal }, now) };
    return this.#sealed.keyset;
  }
}
