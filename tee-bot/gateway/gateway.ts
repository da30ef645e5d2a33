/** The gateway of one node: its parts joined, and the door of each surface. */
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { HealthReport } from "../health/health.ts";
import type { HttpHandler } from "../server/terminator.ts";
import type { Access } from "./access/access.ts";
import { ApiError } from "./api/api-error.ts";
import type { Surface } from "./api/call.ts";
import { Calls } from "./calls/calls.ts";
import { Front } from "./front.ts";
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
  handler(surface: Surface): HttpHandler;
  /** Uses other settings from the next call on; calls under way keep theirs. */
  follow(settings: GatewaySettings): void;
}

export function createGateway(options: GatewayOptions): Gateway {
  let { settings } = options;
  const { clock, random, log, health } = options;
  const parts: GatewayParts = { router, access, tracker, ...options.parts };
  const calls = new Calls({ ...parts, settings: () => settings, clock, random, log });
  return {
    handler(surface) {
      const listener = getRequestListener(createPages({ surface, health }).fetch);
      return new Front({ surface, calls, pages: (request, response) => void listener(request, response) });
    },
    follow(next) {
      settings = next;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const router: Router = {
  route({ model }) {
    throw new ApiError("model_not_found", `No provider of this node has the model ${model}.`, { param: "model" });
  },
};
const access: Access = {
  authenticate: () => ({ keyId: undefined, models: undefined }),
  admit: () => Promise.resolve({ queuedMs: 0, headers: [], release() {} }),
};
const tracker: Tracker = {
  begin: () => ({ keyed() {}, queued() {}, routed() {}, attempted() {}, firstByte() {}, end() {} }),
};
