import { readFileSync } from "node:fs";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { issuerSchema, type Issuer } from "../../shared/registry/messages.ts";

export interface KnownIssuerOptions {
  edge: EdgeClient;
  /** Where the edge's last word is kept for when it is away. */
  path: string;
  log: Log;
}

/** Who signs this node's certificates: asked of the edge once for each registration. */
export class KnownIssuer {
  readonly #options: KnownIssuerOptions;
  #current: Issuer;
  #epoch = 0;

  constructor(options: KnownIssuerOptions) {
    this.#options = options;
    this.#current = readIssuer(options.path);
  }

  get current(): Issuer {
    return this.#current;
  }

  isOf(epoch: number): boolean {
    return epoch === this.#epoch;
  }

  /** As of the registration with this epoch; with the edge away as it was told last. */
  async at(epoch: number, signal: AbortSignal): Promise<Issuer> {
    const { edge, path, log } = this.#options;
    if (this.isOf(epoch)) return this.#current;
    try {
      this.#current = await edge.request("GET", "/v1/issuer", issuerSchema, { signal });
      writeFileAtomic(path, JSON.stringify(this.#current));
      this.#epoch = epoch;
    } catch (error) {
      log.info("issuer.kept", { error: errorText(error) });
    }
    return this.#current;
  }
}

/** What the edge said last; at the first start a public CA is assumed. */
export function readIssuer(path: string): Issuer {
  try {
    return issuerSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return { kind: "acme", roots: [], trust: "public", directories: [], resolvers: [] };
  }
}
