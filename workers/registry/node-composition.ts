/** What a node's object is made of, and how the parts hear of each other. */
import { AvoidedRelays, avoidedRelaysTable } from "./avoided-relays.ts";
import { DnsWishes, dnsTable } from "./dns-wishes.ts";
import type { NodeMessage } from "./node-messages.ts";
import { NodeStore, nodeTables, relaysTable, rulesTable, servedKeyTable } from "./node-store.ts";
import { PathMarks, pathsTable } from "./path-marks.ts";
import { Registrations } from "./registrations.ts";
import { liveSurroundings, type Surroundings } from "./surroundings.ts";
import { CaaWatch, caaTable } from "../certificate/caa-watch.ts";
import { orderColumns, orderKeyColumn, OrderStore, orderTable } from "../certificate/order-store.ts";
import { Orders } from "../certificate/orders.ts";
import { ownCertificateTable, OwnOrders, ownOrderTable } from "../certificate/own-orders.ts";
import { Rehearsals } from "../certificate/rehearsals.ts";
import { Renewals } from "../certificate/renewals.ts";
import { edgeLog } from "../edge-log.ts";
import type { Env } from "../env.ts";
import { settingsOf } from "../object-settings.ts";
import { liveParts, type Parts } from "../parts.ts";
import { canonicalAddress } from "../relays/addresses.ts";
import { Nonces, nonceTable } from "../storage/nonces.ts";
import { Outbox, outboxTable } from "../storage/outbox.ts";
import { migrate } from "../storage/tables.ts";
import type { Log } from "../../shared/log.ts";

export interface NodeParts extends Parts {
  readonly surroundings: typeof liveSurroundings;
}

export const liveNodeParts: NodeParts = { ...liveParts, surroundings: liveSurroundings };

export interface Composition {
  readonly log: Log;
  readonly surroundings: Surroundings;
  readonly nonces: Nonces;
  readonly outbox: Outbox<NodeMessage>;
  readonly registrations: Registrations;
  readonly avoided: AvoidedRelays;
  readonly pathMarks: PathMarks;
  readonly wishes: DnsWishes;
  readonly caaWatch: CaaWatch;
  readonly orderStore: OrderStore;
  readonly orders: Orders;
  readonly renewals: Renewals;
  /** Undefined when nothing is to be rehearsed. */
  readonly rehearsals: Rehearsals | undefined;
  readonly ownOrders: OwnOrders;
}

/** Steps of {@link migrate}. */
export const nodeShapes: readonly string[] = [
  nodeTables + nonceTable + outboxTable + orderTable,
  orderColumns + dnsTable + caaTable + ownOrderTable,
  ownCertificateTable,
  rulesTable,
  relaysTable,
  avoidedRelaysTable,
  servedKeyTable + orderKeyColumn + pathsTable,
];

export function composeNode(storage: DurableObjectStorage, env: Env, parts: NodeParts): Composition {
  const { config, secrets } = settingsOf(env);
  const { zone, leaseMs, acme, dns } = config;
  const { sql } = storage;
  const { clock, random } = parts;
  migrate(sql, nodeShapes);
  const log = edgeLog(config.logLevel, clock);
  const surroundings = parts.surroundings({ clock, random, env, config, secrets, log });
  const common = { sql, clock, random, log };

  const outbox = new Outbox<NodeMessage>({ ...common, deliver: (message) => surroundings.deliver(message) });
  const registrations: Registrations = new Registrations({
    ...common,
    store: new NodeStore(sql),
    outbox,
    hubOf: (hostname) => surroundings.hubOf(hostname),
    transaction: (write) => storage.transactionSync(write),
    zone,
    leaseMs,
    onChanged: (record) => wishes.follow(record),
  });
  const node = () => registrations.known.node;
  const hostnames = () => registrations.hostnames();
  const caaWatch = new CaaWatch({
    ...common,
    node,
    lookMs: acme.caaLookMs,
    areWritten: async () => (await surroundings.dnsStatus(node())).state === "written",
    judge: (wanted) => surroundings.judgeCaa(wanted),
  });
  const wishes = new DnsWishes({
    ...common,
    outbox,
    hostnames,
    fleetAddresses: config.relayAddresses.map(canonicalAddress),
    retentionMs: dns.retentionMs,
    fetchAccounts: () => surroundings.fetchAccounts(),
    onChanged: (records, before) => caaWatch.expect(records, before),
  });
  const orderStore = new OrderStore(sql);
  const orders = new Orders({
    ...common,
    store: orderStore,
    node,
    issuer: (purpose) => surroundings.issuer(purpose),
    lookMs: acme.renewalLookMs,
    async checkAccounts() {
      await wishes.checkAccounts(registrations.known);
      await outbox.flush();
    },
  });
  const renewals = new Renewals({
    ...common,
    store: orderStore,
    lookMs: acme.renewalLookMs,
    fetchRenewalInfo: (directory, id) => surroundings.fetchRenewalInfo(directory, id),
  });
  const { rehearsalMs } = acme;
  const rehearsals = acme.staging && new Rehearsals({ store: orderStore, orders, hostnames, rehearsalMs, clock });
  const ownOrders = new OwnOrders({
    ...common,
    node,
    hostnames: () => registrations.liveHostnames(),
    present(order, records) {
      outbox.drop(`withdraw:${order}`);
      return surroundings.presentChallenges(node(), order, records);
    },
    withdraw: (order) => outbox.put(`withdraw:${order}`, { kind: "withdraw", node: node(), order }, clock.now()),
    admissions: (directory) => surroundings.admissions(directory),
  });
  const pathMarks = new PathMarks({ ...common, hostnames });
  return {
    log,
    surroundings,
    nonces: new Nonces(sql),
    outbox,
    registrations,
    avoided: new AvoidedRelays(sql),
    pathMarks,
    wishes,
    caaWatch,
    orderStore,
    orders,
    renewals,
    rehearsals,
    ownOrders,
  };
}
