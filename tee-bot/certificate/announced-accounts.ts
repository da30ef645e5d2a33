/** Which ACME accounts of this node the edge names in the CAA records of its names; without any it names its own. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import type { EdgeClient } from "../../shared/registry/edge-client.ts";
import { accountsSchema, type AccountBinding } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface AnnouncedAccountsOptions {
  node: NodeId;
  edge: EdgeClient;
  /** What was announced last. */
  path: string;
  log: Log;
}

export class AnnouncedAccounts {
  readonly #options: AnnouncedAccountsOptions;
  #told: string | undefined;

  constructor(options: AnnouncedAccountsOptions) {
    this.#options = options;
  }

  /** Replaces those announced before; once for each process and change. Throws when the edge does not take it. */
  async announce(accounts: readonly AccountBinding[], signal: AbortSignal): Promise<void> {
    const { node, edge, path, log } = this.#options;
    const told = JSON.stringify({ accounts });
    if (told === this.#told) return;
    await edge.request("PUT", `/v1/nodes/${node}/accounts`, z.unknown(), { body: { accounts }, signal });
    this.#told = told;
    log.info("accounts.announced", { accounts: accounts.map(({ accountUri }) => accountUri) });
    try {
      writeFileAtomic(path, told, 0o600);
    } catch (error) {
      log.warn("accounts.unsaved", { error: errorText(error) });
    }
  }

  /** For a node whose orders are the edge's again: takes back what it announced in other days. */
  async withdraw(signal: AbortSignal): Promise<void> {
    if (readAnnounced(this.#options.path).length > 0) await this.announce([], signal);
  }
}

/** URIs of the accounts that were announced last. */
export function announcedAccountUris(path: string): string[] {
  return readAnnounced(path).map(({ accountUri }) => accountUri);
}

function readAnnounced(path: string): AccountBinding[] {
  try {
    return accountsSchema.parse(JSON.parse(readFileSync(path, "utf8"))).accounts;
  } catch {
    return []; // nothing was announced
  }
}
