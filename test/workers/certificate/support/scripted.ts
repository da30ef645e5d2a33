/** Orders of one node with an issuer whose steps a test writes. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { clock } from "../../support/controls.ts";
import { testIdentity } from "../../support/identities.ts";
import type { AcmeOrder, OrderStep } from "../../../../shared/acme/order.ts";
import { AppError } from "../../../../shared/errors.ts";
import { silentLog } from "../../../../shared/log.ts";
import { Orders } from "../../../../workers/certificate/orders.ts";
import {
  orderColumns,
  orderKeyColumn,
  OrderStore,
  orderTable,
  type OrderPurpose,
} from "../../../../workers/certificate/order-store.ts";
import type { Issuer } from "../../../../workers/certificate/issuer.ts";

export type Steps = (order: AcmeOrder, purpose: OrderPurpose) => OrderStep | Promise<OrderStep>;

export interface ScriptedOrders {
  readonly orders: Orders;
  readonly store: OrderStore;
  readonly sql: DurableObjectStorage["sql"];
  /** Ids of orders in the order in which they were given up. */
  readonly abandoned: string[];
  /** The same tables after the process has died. */
  readonly restarted: () => Orders;
}

export interface Script {
  /** Undefined: there is no issuer. */
  readonly step: Steps | undefined;
  readonly abandon?: (order: AcmeOrder) => Promise<void>;
  readonly checkAccounts?: () => Promise<void>;
}

const { id: node } = await testIdentity("scripted orders");

export function withIssuer<T>(
  { step, abandon, checkAccounts = () => Promise.resolve() }: Script,
  use: (scripted: ScriptedOrders) => Promise<T>,
): Promise<T> {
  return runInDurableObject(env.HUBS.get(env.HUBS.newUniqueId()), (_, { storage: { sql } }) => {
    sql.exec(orderTable + orderColumns + orderKeyColumn);
    const abandoned: string[] = [];
    const issuer = (purpose: OrderPurpose): Issuer => {
      if (!step) throw new AppError("issuer-unavailable", "There is none.");
      return {
        describe: () => ({ kind: "acme", roots: [], trust: "private", directories: [], resolvers: [] }),
        step: async (order) => step(order, purpose),
        abandon: async (order) => {
          await abandon?.(order);
          abandoned.push(order.id);
        },
      };
    };
    const store = new OrderStore(sql);
    const make = (): Orders =>
      new Orders({ store, node: () => node, clock, random: () => 0.5, log: silentLog, issuer, checkAccounts });
    return use({ orders: make(), store, sql, abandoned, restarted: make });
  });
}

export const processing = (progress: string, retryAfterMs: number, words = "under way"): OrderStep => ({
  status: "processing",
  progress,
  retryAfterMs,
  words,
});

export const valid = (lifetimeMs = 90 * 86_400_000): OrderStep => ({
  status: "valid",
  certificate: "PEM",
  notBefore: clock.now(),
  notAfter: clock.now() + lifetimeMs,
  directory: "https://ca.example.test/directory",
});
