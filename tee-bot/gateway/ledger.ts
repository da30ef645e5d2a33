/** What the gateway keeps over a restart, opened together, for it is one file: who may call, what was used, what happened. */
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import { Batches } from "../store/batches.ts";
import { Gate } from "./access/gate.ts";
import { KeyRing } from "./access/key-ring.ts";
import { MonthlyUsage } from "./access/monthly-usage.ts";
import type { GatewaySettings } from "./settings.ts";
import { openGatewayStore } from "./store.ts";
import { RequestTracker } from "./tracking/request-tracker.ts";

export interface LedgerOptions {
  /** Where the file is. */
  path: string;
  settings: GatewaySettings;
  /** Of the node's own parts; see {@link Gate}. */
  ownKey?: string | undefined;
  clock: Clock;
  log: Log;
}

export interface Ledger extends Disposable {
  readonly keys: KeyRing;
  readonly usage: MonthlyUsage;
  readonly access: Gate;
  readonly tracker: RequestTracker;
  follow(settings: GatewaySettings): void;
}

/** Throws {@link AppError} when the file cannot be opened. Disposing of it writes what is left to be written. */
export function openLedger({ path, settings, ownKey, clock, log }: LedgerOptions): Ledger {
  const store = openGatewayStore({ path, log });
  const batches = new Batches({ store, log });
  const parts = { store, batches, clock, log };
  const keys = new KeyRing(parts);
  const usage = new MonthlyUsage({ store, batches, now: clock.now() });
  const access = new Gate({ settings, keys, usage, ownKey, clock, log });
  const tracker = new RequestTracker({ ...parts, settings: settings.requests });
  return {
    keys,
    usage,
    access,
    tracker,
    follow(next) {
      access.follow(next);
      tracker.follow(next.requests);
    },
    [Symbol.dispose]() {
      tracker[Symbol.dispose]();
      batches[Symbol.dispose]();
      store.close();
    },
  };
}
