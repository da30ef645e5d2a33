/** The gateway of one node: its parts joined, and the door of each surface. */
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { UpstreamVerification } from "../attestation/near/upstream-verification.ts";
import type { HealthReport } from "../health/health.ts";
import type { HttpHandler } from "../server/terminator.ts";
import type { Access, Caller } from "./access/access.ts";
import type { Surface } from "./api/call.ts";
import { Calls } from "./calls/calls.ts";
import { Front, type ShowReport } from "./front.ts";
import { openLedger, type Ledger } from "./ledger.ts";
import { Models } from "./models.ts";
import { createPages } from "./pages/app.ts";
import type { OpenEmbedded } from "./providers/open-provider.ts";
import { refuseOwnLooks } from "./providers/own-looks.ts";
import type { Environment } from "./providers/secret.ts";
import { openReceipts, type ReceiptSigner } from "./receipts/receipts.ts";
import { viewSessions } from "./receipts/session-view.ts";
import type { Router } from "./routing/route.ts";
import type { GatewaySettings } from "./settings.ts";
import { gatewayMetrics } from "./tracking/gateway-metrics.ts";
import type { Tracker } from "./tracking/track.ts";

export interface GatewayOptions {
  readonly settings: GatewaySettings;
  /** Where it keeps what must outlive it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** By which the node's own parts call it at this machine's port, whatever the settings ask of others; undefined: they do not. */
  readonly ownKey?: string | undefined;
  /** The state of the public name. */
  readonly health: () => HealthReport;
  /** This node's id, by which a call may ask for what runs here. */
  readonly node?: string;
  /** Where the settings find keys of providers by name; none, if it is not given. */
  readonly env?: Environment;
  /** How models run in a process of this node; not at all, if it is not given. */
  readonly openEmbedded?: OpenEmbedded;
  /** Shows the attestation report, for which nobody needs a key; without it there is no such page. */
  readonly showReport?: ShowReport;
  /** How the evidence of providers is looked at; undefined: what they say of their TEEs stays their own word. */
  readonly verification?: UpstreamVerification;
  /** Signs receipts of calls; undefined: there are none. */
  readonly receiptSigner?: ReceiptSigner | undefined;
  /** In place of the gateway's own. With a router of somebody else there are no providers to look for. */
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
  /** Resolves when every provider was looked at once; calls are answered before. */
  readonly ready: Promise<void>;
  handler(surface: Surface): HttpHandler;
  /** See `Models.examine`. */
  examine: Models["examine"];
  /** Uses other settings from the next call on; calls under way keep theirs. */
  follow(settings: GatewaySettings): void;
}

/** Throws {@link AppError} when what it keeps cannot be opened. */
export function createGateway(options: GatewayOptions): Gateway {
  let { settings } = options;
  const { clock, random, log, health, node, env = {}, openEmbedded, showReport, verification } = options;
  const { receiptSigner, ownKey } = options;
  const names = (): string[] => namesOf(node, health().hostnames);
  const ledger = openLedger({ path: join(options.directory, "gateway.sqlite"), settings, ownKey, clock, log });
  const models = new Models({ settings, clock, random, log, env, names, openEmbedded, verification });
  const own: GatewayParts = { router: models.router, access: ledger.access, tracker: ledger.tracker };
  const parts: GatewayParts = { ...own, ...options.parts };
  const hasProviders = parts.router === models.router;
  const receipts =
    receiptSigner && openReceipts({ signer: receiptSigner, sessions: verification?.sessions, ...options });
  const aci = { receipts, sessions: viewSessions(verification?.sessions) };
  const calls = new Calls({ ...parts, receipts, settings: () => settings, clock, random, log });
  const metrics = gatewayMetrics(ledger.tracker.metrics.registry, () => ({
    ...ledger.access.load,
    refused: ledger.access.refused,
    providers: models.pages("local").health().providers ?? [],
  }));
  return {
    ledger,
    ready: hasProviders ? models.follow(settings) : Promise.resolve(),
    handler(surface) {
      const modelPages = models.pages(surface);
      const pages = createPages({ surface, health, ledger, metrics, models: modelPages, aci });
      const callers = new WeakMap<object, Caller>();
      const listener = getRequestListener((request, { incoming }) => {
        const caller = callers.get(incoming);
        return pages.fetch(request, caller ? { caller } : {});
      });
      const front = new Front({
        surface,
        calls,
        access: parts.access,
        knows: (name) => modelPages.find(name) !== undefined,
        showReport,
        clock,
        pages: (request, response, caller) => {
          if (caller) callers.set(request, caller);
          void listener(request, response);
        },
      });
      return refuseOwnLooks(front, models.providers.mark);
    },
    examine: (wish, nonce, signal) => models.examine(wish, nonce, signal),
    follow(next) {
      settings = next;
      ledger.follow(next);
      if (hasProviders) void models.follow(next);
    },
    async [Symbol.asyncDispose]() {
      await models[Symbol.asyncDispose]();
      ledger[Symbol.dispose]();
      receipts?.[Symbol.dispose]();
    },
  };
}

/** A hostname names this node, and so does what stands before its first dot: the alias. */
function namesOf(node: string | undefined, hostnames: readonly string[]): string[] {
  const labels = hostnames.map((hostname) => hostname.split(".", 1)[0] ?? "");
  return [...(node === undefined ? [] : [node]), ...hostnames, ...labels];
}
