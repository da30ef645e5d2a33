import type { AcmeOrder, OrderStep } from "../../shared/acme/order.ts";
import type { Issuer as IssuerDescription } from "../../shared/registry/messages.ts";

/**
 * Who signs certificates. An order is moved step by step: each returns soon and never sleeps, what it says is stored
 * before the next one, and a step may run again after a crash. A step that throws is tried again later.
 */
export interface Issuer {
  describe(): IssuerDescription;
  step(order: AcmeOrder): Promise<OrderStep>;
  /**
   * Ends an order that is given up before its end: its TXT records are withdrawn, its admission is settled as failed.
   * May come twice, and for an order that has left nothing behind; throws when it has to be tried again.
   */
  abandon(order: AcmeOrder): Promise<void>;
}
