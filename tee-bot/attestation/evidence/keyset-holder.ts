import type { Clock } from "../../../shared/clock.ts";
import { decideNotAfter, sealKeyset, type KeysetParts, type SealedKeyset } from "./keyset.ts";

/** What changes while the node runs. */
export interface Names {
  readonly hostnames: readonly string[];
  /** The zone they are in. */
  readonly zone: string | undefined;
  /** URIs of the accounts by which certificates for them come, as far as this node knows. */
  readonly acmeAccounts: readonly string[];
}

/** The keyset of the moment: sealed anew when names change, and before it ends. */
export class KeysetHolder {
  readonly #fixed: Omit<KeysetParts, "hostnames" | "acmeAccounts">;
  readonly #clock: Clock;
  #names: Names = { hostnames: [], zone: undefined, acmeAccounts: [] };
  #sealed: { readonly notAfter: number; readonly keyset: Promise<SealedKeyset> } | undefined;

  constructor(fixed: Omit<KeysetParts, "hostnames" | "acmeAccounts">, clock: Clock) {
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

  get current(): Promise<SealedKeyset> {
    const now = Math.floor(this.#clock.now() / 1000);
    const notAfter = decideNotAfter(now);
    if (this.#sealed?.notAfter !== notAfter)
      this.#sealed = { notAfter, keyset: sealKeyset({ ...this.#fixed, ...this.#names }, now) };
    return this.#sealed.keyset;
  }
}
