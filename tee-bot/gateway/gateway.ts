/** The gateway of one node: its parts joined, and the door of each surface. */
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { HealthReport } from "../health/health.ts";
import type { HttpHandler } from "../server/terminator.ts";
import type { Access, Caller } from "./access/access.ts";
import { ApiError } from "./api/api-error.ts";
import type { Surface } from "./api/call.ts";
import { Calls } from "./calls/calls.ts";
import { Front } from "./front.ts";
import { openLedger, type Ledger } from "./ledger.ts";
import { createPages } from "./pages/app.ts";
import type { Router } from "./routing/route.ts";
import type { GatewaySettings } from "./settings.ts";
import type { Tracker } from "./tracking/track.ts";

export interface GatewayOptions {
  readonly settings: GatewaySettings;
  /** Where it keeps what must outlive it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** The state of the public name. */
  readonly health: () => HealthReport;
  /** In place of the gateway's own. */
  readonly parts?: Partial<GatewayParts>;
}

export interface GatewayParts {
  readonly router: Router;
  readonly access: Access;
  readonly tracker: Tracker;
}

export interface Gateway extends AsyncDisposable {
  /** Its keys, and what has happened. */
  readonly ledger: Ledger;
  handler(surface: Surface): HttpHandler;
  /** Uses other settings from the next call on; calls under way keep theirs. */
  follow(settings: GatewaySettings): void;
}

/** Throws {@link AppError} when what it keeps cannot be opened. */
export function createGateway(options: GatewayOptions): Gateway {
  let { settings } = options;
  const { clock, random, log, health } = options;
  const ledger = openLedger({ path: join(options.directory, "gateway.sqlite"), settings, clock, log });
  const parts: GatewayParts = { router, access: ledger.access, tracker: ledger.tracker, ...options.parts };
  const calls = new Calls({ ...parts, settings: () => settings, clock, random, log });
  return {
    ledger,
    handler(surface) {
      const pages = createPages({ surface, health, ledger });
      const callers = new WeakMap<object, Caller>();
      const listener = getRequestListener((request, { incoming }) => {
        const caller = callers.get(incoming);
        return pages.fetch(request, caller && { caller });
      });
      return new Front({
        surface,
        calls,
        access: parts.access,
        pages: (request, response, caller) => {
          if (caller) callers.set(request, caller);
          void listener(request, response);
        },
      });
    },
    follow(next) {
      settings = next;
      ledger.follow(next);
    },
    [Symbol.asyncDispose]: () => {
      ledger[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

const router: Router = {
  route({ model }) {
    throw new ApiError("model_not_found", `No provider of this node has the model ${model}.`, { param: "model" });
  },
};
