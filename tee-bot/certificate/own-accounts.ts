/** This node's own accounts at the CAs: one key for all, which is never sent; the accounts' URIs are kept in a file. */
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

export interface OwnAccountsOptions {
  /** PKCS #8 PEM; asked for when an account is first needed. */
  accountKey: () => string;
  /** Account URIs and the CA's names for our orders. */
  path: string;
  clock: Clock;
  log: Log;
  fetch: typeof fetch;
}

const accountsSchema = z.object({
  version: z.literal(1),
  /** By directory. */
  accounts: z.record(
    z.string(),
    z.object({
      uri: z.string(),
      /** By which names CAA records mean this CA. */
      identities: z.array(z.string()),
    }),
  ),
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
  #registrations = 0;

  constructor(options: OwnAccountsOptions) {
    this.#options = options;
    this.#kept = readStored(options.path);
  }

  /** The CA of a directory, with our account there. */
  ca(directory: string): Ca {
    const held = this.#cas.get(directory);
    if (held) return held;
    const { accountKey, clock, fetch } = this.#options;
    const accountUri = this.#kept.accounts[directory]?.uri;
    const ca = createAcmeCa({
      directory,
      accountKey: accountKey(),
      ...(accountUri !== undefined && { accountUri }),
      onAccount: (uri) => this.#rememberAccount(directory, uri),
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

  /** How often an account was registered since this process began: what CAA records say may then be out of date. */
  get registrations(): number {
    return this.#registrations;
  }

  /**
   * What CAA records should say of our accounts at these CAs; registers where that has not been done. A CA that does not
   * answer is named as it was before.
   */
  async bindings(directories: readonly string[]): Promise<AccountBinding[]> {
    await Promise.all(directories.map((directory) => this.#describe(directory)));
    return directories.flatMap((directory) => {
      const account = this.#kept.accounts[directory];
      return account ? account.identities.map((ca) => ({ ca, accountUri: account.uri, methods })) : [];
    });
  }

  async #describe(directory: string): Promise<void> {
    const answer = await this.ca(directory).describe();
    if (answer.ok) {
      const account = { uri: answer.value.accountUri, identities: [...caaIdentitiesOf(answer.value)] };
      this.#keep({ accounts: { ...this.#kept.accounts, [directory]: account } });
    } else this.#options.log.warn("account.unknown", { kind: answer.failure.kind, error: answer.failure.detail });
  }

  #rememberAccount(directory: string, uri: string): void {
    const identities = this.#kept.accounts[directory]?.identities ?? [];
    this.#keep({ accounts: { ...this.#kept.accounts, [directory]: { uri, identities } } });
    this.#registrations++;
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
