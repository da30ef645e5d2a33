/** A CA that answers as a test asks, and keeps count. It outlives the object that uses it. */
import type { AcmeCaOptions } from "../../../shared/acme/acme-ca.ts";
import type { Ca, CaAnswer, CaFailure, CaOrder } from "../../../shared/acme/ca.ts";

export class ScriptedCa {
  /** Every call, as `method argument`. */
  readonly calls: string[] = [];
  /** What the next calls meet instead of an answer. */
  readonly failures: CaFailure[] = [];
  /** What it was made with; the newest last. */
  readonly made: AcmeCaOptions[] = [];
  readonly caaIdentities = ["ca.example"];
  renewalInfo = true;
  /** Another one whenever the CA has forgotten it. */
  accountUri = "https://ca.example/account/1";
  /** While set, no answer comes before it resolves. */
  gate: Promise<void> = Promise.resolve();
  /** While set, no order is opened before it resolves. */
  opening: Promise<void> = Promise.resolve();
  #orders = 0;

  /** As the real one: what it has to remember is kept by whoever has made it. */
  create(options: AcmeCaOptions): Ca {
    this.made.push(options);
    let uri = options.accountUri;
    const ask = async <T>(call: string, answer: () => Promise<T> | T): Promise<CaAnswer<T>> => {
      this.calls.push(call);
      await this.gate;
      const failure = this.failures.shift();
      if (failure?.kind === "account") uri = undefined;
      if (failure) return { ok: false, failure };
      if (uri === undefined) {
        uri = this.accountUri;
        await options.onAccount(uri);
      }
      return { ok: true, value: await answer() };
    };
    const orderOf = (url: string): CaOrder => ({
      url,
      status: "pending",
      authorizations: [`${url}/authorization`],
      finalize: `${url}/finalize`,
    });
    return {
      describe: () =>
        ask("describe", () => ({
          directory: options.directory,
          accountUri: uri ?? "",
          caaIdentities: this.caaIdentities,
          renewalInfo: this.renewalInfo,
        })),
      createOrder: ({ order, hostnames }) =>
        ask(`createOrder ${hostnames.join()}`, async () => {
          const known = await options.memory.readOrder(order);
          if (known !== undefined) return orderOf(known);
          await this.opening;
          const url = `https://ca.example/order/${++this.#orders}`;
          await options.memory.writeOrder(order, url);
          return orderOf(url);
        }),
      readOrder: (url) => ask(`readOrder ${url}`, () => orderOf(url)),
      readAuthorizations: (urls) =>
        ask("readAuthorizations", () =>
          urls.map((url) => ({
            url,
            hostname: this.hostname,
            status: "pending" as const,
            challenges: [
              { type: "dns-01" as const, url: `${url}/dns`, status: "pending" as const, response: this.value },
            ],
          })),
        ),
      completeChallenge: (url) => ask(`completeChallenge ${url}`, () => null),
      finalize: ({ url }) => ask(`finalize ${url}`, () => orderOf(url)),
      download: (url) => ask(`download ${url}`, () => "-----BEGIN CERTIFICATE-----"),
      renewalInfo: (id) => ask(`renewalInfo ${id}`, () => undefined),
    };
  }

  /** Of every authorization. */
  hostname = "node.postern.localhost";
  readonly value = "v".repeat(43);

  /** Orders opened at the CA. */
  get orders(): number {
    return this.#orders;
  }
}

const cas = new Map<string, ScriptedCa>();

/** The one behind a directory's URL. */
export function scriptedCa(directory: string): ScriptedCa {
  const held = cas.get(directory) ?? new ScriptedCa();
  cas.set(directory, held);
  return held;
}
