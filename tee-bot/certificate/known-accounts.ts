/** By whose ACME accounts the certificates of this node come, as far as it knows: its own, or what the edge says of its own. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";

export interface KnownAccountsOptions {
  /** What the edge said last, for the time until it says it again. */
  readonly path: string;
  readonly log: Log;
}

const keptSchema = z.object({ version: z.literal(1), accounts: z.array(z.string()).max(16) });

export class KnownAccounts {
  readonly #options: KnownAccountsOptions;
  #accounts: readonly string[];

  constructor(options: KnownAccountsOptions) {
    this.#options = options;
    this.#accounts = readKept(options.path);
  }

  /** URIs. */
  get current(): readonly string[] {
    return this.#accounts;
  }

  /** `told` by the edge; an edge that names none has not been asked yet, or writes no CAA records. */
  follow(told: readonly string[]): void {
    if (told.length === 0 || JSON.stringify(told) === JSON.stringify(this.#accounts)) return;
    this.#accounts = [...told];
    try {
      writeFileAtomic(this.#options.path, JSON.stringify({ version: 1, accounts: told }));
    } catch (error) {
      this.#options.log.warn("accounts.unsaved", { error: errorText(error) });
    }
  }
}

function readKept(path: string): readonly string[] {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(path, "utf8"))).accounts;
  } catch {
    return []; // the edge has named none yet
  }
}
