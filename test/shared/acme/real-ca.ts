/** The client of a CA as the edge and nodes have it, against Pebble behind its proxy. */
import { createAccountKey } from "../../../shared/acme/account-key.ts";
import { createAcmeCa, type AcmeCaOptions } from "../../../shared/acme/acme-ca.ts";
import type { Ca } from "../../../shared/acme/ca.ts";
import { stepOrder, type OrderStep } from "../../../shared/acme/order.ts";
import type { OrderParts } from "../../../shared/acme/ports.ts";
import { systemClock } from "../../../shared/clock.ts";
import { startAcmeProxy, type AcmeProxy } from "../../support/acme/acme-proxy.ts";
import { startPebble, type Pebble, type PebbleOptions } from "../../support/acme/pebble.ts";
import { startZoneServer } from "../../support/dns/zone-server.ts";
import { ZoneStore } from "../../support/dns/zone-store.ts";
import { createCsr } from "./certificates.ts";
import { fetchUnder } from "./over-tls.ts";

const maxOrderSteps = 300;

export interface RealCa extends AsyncDisposable {
  readonly zone: string;
  readonly pebble: Pebble;
  readonly proxy: AcmeProxy;
  readonly store: ZoneStore;
  /** Account URIs, in the order they were registered. */
  readonly accounts: string[];
  /** Another client of the same CA, with a key of its own unless said. */
  client(options?: Partial<AcmeCaOptions>): Promise<Ca>;
  /** Orders a certificate for names in the zone, to the end. */
  order(ca: Ca, id: string, names: readonly string[], replaces?: string): Promise<OrderStep>;
}

export async function startRealCa(options: Omit<PebbleOptions, "dnsServer"> = {}): Promise<RealCa> {
  await using stack = new AsyncDisposableStack();
  const store = new ZoneStore("nodes.example.test");
  const server = stack.use(await startZoneServer(store));
  const pebble = stack.use(await startPebble({ ...options, dnsServer: server.address }));
  const proxy = stack.use(await startAcmeProxy(pebble));
  const { fetch, agent } = fetchUnder(pebble.tls.root);
  stack.defer(() => agent.destroy());
  const accounts: string[] = [];
  const all = stack.move();
  return {
    zone: store.zone,
    pebble,
    proxy,
    store,
    accounts,
    async client(changes = {}) {
      const urls = new Map<string, string>();
      return createAcmeCa({
        directory: proxy.directory,
        accountKey: await createAccountKey(),
        onAccount: (uri) => void accounts.push(uri),
        memory: { readOrder: (id) => urls.get(id), writeOrder: (id, url) => void urls.set(id, url) },
        fetch,
        clock: systemClock,
        userAgent: "postern-test/1",
        ...changes,
      });
    },
    order: (ca, id, names, replaces) => runOrder({ ca, id, names, replaces, store, directory: proxy.directory }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

interface OrderRun {
  ca: Ca;
  id: string;
  names: readonly string[];
  replaces: string | undefined;
  store: ZoneStore;
  directory: string;
}

async function runOrder({ ca, id, names, replaces, store, directory }: OrderRun): Promise<OrderStep> {
  const hostnames = names.map((name) => `${name}.${store.zone}`);
  const parts: OrderParts = {
    issuing: [
      {
        directory,
        ca,
        admissions: { admit: () => Promise.resolve({ admitted: true }), settle: () => Promise.resolve() },
      },
    ],
    records: {
      present: (_, records) => {
        for (const { hostname, value } of records)
          store.add({ name: `_acme-challenge.${hostname}`, type: "TXT", content: value });
        return Promise.resolve({ state: "written" });
      },
      withdraw: () => {
        for (const hostname of hostnames) store.removeAt(`_acme-challenge.${hostname}`);
        return Promise.resolve();
      },
    },
    propagation: {
      look: () => Promise.resolve([{ server: "the zone itself", kind: "resolver", sees: "all" }]),
    },
    clock: systemClock,
    random: Math.random,
  };
  const csr = await createCsr(hostnames);
  let progress = "";
  for (let count = 0; count < maxOrderSteps; count++) {
    const step = await stepOrder(
      {
        id,
        node: "node",
        csr,
        hostnames,
        progress,
        ...(replaces && { replaces: { directory, certificateId: replaces } }),
      },
      parts,
    );
    if (step.status !== "processing") return step;
    ({ progress } = step);
    await systemClock.sleep(step.retryAfterMs);
  }
  throw new Error(`The order ${id} came to no end.`);
}
