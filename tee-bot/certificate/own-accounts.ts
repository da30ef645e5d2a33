/** This node's own accounts at the CAs: one key for all, made here and never sent; the accounts' URIs beside it. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { createAcmeCa } from "../../shared/acme/acme-ca.ts";
import { caaIdentitiesOf } from "../../shared/acme/caa-identity.ts";
import type { Ca } from "../../shared/acme/ca.ts";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import type { AccountBinding } from "../../shared/registry/messages.ts";
import { version } from "../../shared/version.ts";
import { readOrCreateTlsKey } from "./tls-key.ts";

export interface OwnAccountsOptions {
  /** PKCS #8 PEM, mode 0600. */
  keyPath: string;
  /** Account URIs and the CA's names for our orders. */
  path: string;
  clock: Clock;
  log: Log;
  fetch: typeof fetch;
}

const accountsSchema = z.object({
  version: z.literal(1),
  /** Account URI by directory. */
  accounts: z.record(z.string(), z.string()),
  /** The CA's URL of an order, newest last. */
  orders: z.array(z.object({ directory: z.string(), order: z.string(), url: z.string() })),
});
type Accounts = z.infer<typeof accountsSchema>;

const maxOrdersKept = 20;
const methods: AccountBinding["methods"] = ["dns-01", "tls-alpn-01"];

export class OwnAccounts {
  readonly #options: OwnAccountsOptions;
  readonly #cas = new Map<string, Ca>();
  #kept: Accounts;

  constructor(options: OwnAccountsOptions) {
    this.#options = options;
    this.#kept = readStored(options.path);
  }

  /** The CA of a directory, with our account there. */
  ca(directory: string): Ca {
    const held = this.#cas.get(directory);
    if (held) return held;
    const { keyPath, clock, fetch } = this.#options;
    const accountUri = this.#kept.accounts[directory];
    const ca = createAcmeCa({
      directory,
      accountKey: readOrCreateTlsKey(keyPath).pem,
      ...(accountUri !== undefined && { accountUri }),
      onAccount: (uri) => this.#keep({ accounts: { ...this.#kept.accounts, [directory]: uri } }),
      memory: {
        readOrder: (order) => this.#orderUrl(directory, order),
        writeOrder: (order, url) => this.#rememberOrder(directory, order, url),
      },
      clock,
      fetch,
      userAgent: `postern/${version}`,
    });
    this.#cas.set(directory, ca);
    return ca;
  }

  /** Registers at each CA that answers, and tells what CAA records should say of our accounts there. */
  async bindings(directories: readonly string[]): Promise<AccountBinding[]> {
    const described = await Promise.all(directories.map((directory) => this.ca(directory).describe()));
    return described.flatMap((answer) => {
      if (answer.ok)
        return caaIdentitiesOf(answer.value).map((ca) => ({ ca, accountUri: answer.value.accountUri, methods }));
      const { kind, detail } = answer.failure;
      this.#options.log.warn("account.unknown", { kind, error: detail });
      return [];
    });
  }

  #orderUrl(directory: string, order: string): string | undefined {
    return this.#kept.orders.findLast((one) => one.directory === directory && one.order === order)?.url;
  }

  #rememberOrder(directory: string, order: string, url: string): void {
    const others = this.#kept.orders.filter((one) => one.directory !== directory || one.order !== order);
    this.#keep({ orders: [...others, { directory, order, url }].slice(-maxOrdersKept) });
  }

  #keep(changes: Partial<Accounts>): void {
    this.#kept = { ...this.#kept, ...changes };
    try {
      writeFileAtomic(this.#options.path, JSON.stringify(this.#kept), 0o600);
    } catch (error) {
      this.#options.log.warn("account.unsaved", { error: errorText(error) }); // the CA tells it again when it is asked
    }
  }
}

function readStored(path: string): Accounts {
  try {
    return accountsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return { version: 1, accounts: {}, orders: [] };
  }
}
