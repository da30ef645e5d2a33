/** Which keys may stand in certificates for a name: those the user named, and those the node has ever attested. */
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { MemoryFile } from "./memory.ts";

/** What a node attests of a name, once its evidence has been verified. */
export interface AttestedKeys {
  /** SHA-256 of SubjectPublicKeyInfos, hex. */
  readonly spkiSha256: readonly string[];
  /** URIs of the ACME accounts by which its certificates come; undefined: it attests none. */
  readonly acmeAccounts: readonly string[] | undefined;
  /** By a simulator's root: they count only in runs that name one. */
  readonly simulated: boolean;
}

/** Asks the node behind a name, and verifies. Throws when it cannot be asked, or shows nothing that can be believed. */
export type AskNode = (name: string, signal: AbortSignal) => Promise<AttestedKeys>;

/** An unknown key is a reason to ask anew; a log full of them is none to ask without end. */
export const minAskingIntervalMs = 60_000;

export interface KnownKeysOptions {
  /** Good for every name. */
  readonly expected: readonly string[];
  /** Undefined: nodes are not asked. */
  readonly ask: AskNode | undefined;
  /** Whether what a simulator has attested counts in this run. */
  readonly simulated: boolean;
  readonly file: MemoryFile;
  readonly clock: Clock;
  readonly log: Log;
}

export class KnownKeys {
  readonly #options: KnownKeysOptions;
  readonly #askedAt = new Map<string, number>();

  constructor(options: KnownKeysOptions) {
    this.#options = options;
  }

  has(name: string, spkiSha256: string): boolean {
    return this.#options.expected.includes(spkiSha256) || this.#attested(name).includes(spkiSha256);
  }

  /** Whether any key is known: without one, every certificate is foreign. */
  knowsAny(name: string): boolean {
    return this.#options.expected.length > 0 || this.#attested(name).length > 0;
  }

  /** Asks the node, unless it was asked just now. False: it could not be asked. */
  async refresh(name: string, signal: AbortSignal): Promise<boolean> {
    const { ask, clock, log } = this.#options;
    const askedAt = this.#askedAt.get(name);
    if (!ask || (askedAt !== undefined && clock.now() - askedAt < minAskingIntervalMs)) return true;
    this.#askedAt.set(name, clock.now());
    try {
      this.learn(name, await ask(name, signal));
      return true;
    } catch (error) {
      signal.throwIfAborted();
      log.warn("node.unverified", { name, error: errorText(error) });
      return false;
    }
  }

  /** Keeps what a node has attested, for this run and later ones. */
  learn(name: string, { spkiSha256, acmeAccounts, simulated }: AttestedKeys): void {
    const { file, clock, log } = this.#options;
    const { keys, accounts } = file.memory;
    const known = (keys[name] ??= []);
    for (const key of spkiSha256) {
      if (known.some((one) => one.spkiSha256 === key && one.simulated === simulated)) continue;
      known.push({ spkiSha256: key, simulated, at: clock.now() });
      log.info("key.attested", { name, spkiSha256: key, simulated });
    }
    if (acmeAccounts) accounts[name] = { uris: [...acmeAccounts], simulated };
    else delete accounts[name];
    file.save();
  }

  /** ACME accounts that the node attested last; undefined: none is known. */
  accountsOf(name: string): readonly string[] | undefined {
    const accounts = this.#options.file.memory.accounts[name];
    return accounts && this.#counts(accounts) ? accounts.uris : undefined;
  }

  #attested(name: string): string[] {
    const keys = this.#options.file.memory.keys[name] ?? [];
    return keys.filter((key) => this.#counts(key)).map((key) => key.spkiSha256);
  }

  #counts({ simulated }: { simulated: boolean }): boolean {
    return !simulated || this.#options.simulated;
  }
}
