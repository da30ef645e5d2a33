/** A relay: what takes its connections, its link to the edge, and its private port, put together. */
import type { Clock } from "../shared/clock.ts";
import type { Log } from "../shared/log.ts";
import type { Identity } from "../shared/nodejs/identity-file.ts";
import type { RelayStatusReport } from "../shared/registry/messages.ts";
import type { Goaway } from "../shared/tunnel/control.ts";
import type { RelayConfig } from "./config.ts";
import { drain } from "./drain.ts";
import { EdgeLink } from "./edge/edge-link.ts";
import { mergeMetrics } from "./operations/merge-metrics.ts";
import { PathHealth } from "./probes/path-health.ts";
import { processMetrics } from "./operations/process-metrics.ts";
import { startPrivatePort, type Health } from "./operations/private-port.ts";
import { Routing } from "./edge/routing.ts";
import { startCrew, type CrewOptions } from "./threads/crew.ts";
import { createWorker } from "./worker.ts";

const lastReportMs = 1_000;
const goaway: Goaway = { reason: "draining", detail: "This relay stops; use another, or come back later." };

export interface RelayOptions {
  config: RelayConfig;
  identity: Identity;
  version: string;
  fetch: typeof fetch;
  clock: Clock;
  random: () => number;
  log: Log;
  /** How often to ask whether the edge still listens; every 15 s unless told otherwise. */
  feedPingMs?: number;
  /** Starts a thread where there are several; for tests, which end them. */
  spawn?: CrewOptions["spawn"];
}

export interface Relay extends AsyncDisposable {
  /** Where visitors and tunnels connect. */
  readonly port: number;
  readonly privatePort: number;
  /** Resolves once the edge has accepted a heartbeat and told what it knows; the relay serves before, and without. */
  readonly informed: Promise<void>;
  /** Tells edge and nodes, takes no new tunnel, and serves visitors until they have left or the limit has come. */
  drain(): Promise<void>;
}

/** Resolves once it listens on both ports; rejects when it cannot. */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const { config, identity, version, clock } = options;
  const { limits } = config;
  let draining = false;
  let others = 0;

  const routing = new Routing();
  const worker =
    config.workers === 1 ? createWorker({ ...options, routing }) : await startCrew({ ...options, routing });
  const port = await worker.listen(config.listen).catch(async (error: unknown) => {
    await worker[Symbol.asyncDispose]();
    throw error;
  });
  const report = (): RelayStatusReport => ({
    host: config.public.host,
    port: config.public.port ?? port,
    name: config.name,
    version,
    ...(config.place && { place: config.place }),
    ...(config.public.addresses && { addresses: config.public.addresses }),
    visitors: worker.counts.visitors,
    tunnels: worker.counts.tunnels,
    draining,
  });
  const paths = new PathHealth({ ...options, port, routing });
  const edge = new EdgeLink({
    ...options,
    routing,
    onMessage(message) {
      worker.take(message);
      paths.take(message);
    },
    onFleet(fleet) {
      others = fleet.length;
      worker.takeFleet(fleet);
      paths.takeFleet(fleet);
    },
    report,
  });
  const health = (): Health => {
    const { known, ...state } = edge.state;
    const { tunnels, visitors } = worker.counts;
    return { ok: known && !draining, relay: identity.id, draining, ...state, others, tunnels, visitors };
  };
  const own = processMetrics(() => ({ ...edge.state, draining }));
  const metrics = async (): Promise<string> => {
    const registries = [own, paths.metrics].map((registry) => registry.getMetricsAsJSON());
    const [ofWorkers, ...ofHead] = await Promise.all([worker.metrics(), ...registries]);
    return mergeMetrics([ofHead.flat(), ...ofWorkers]).metrics();
  };
  // A listener left open would keep a process alive that failed to start.
  const privatePort = await startPrivatePort({ ...config.private, health, metrics }).catch(async (error: unknown) => {
    await worker[Symbol.asyncDispose]();
    throw error;
  });
  await edge.start();
  const informed = edge.informed().then(() => worker.inform());

  return {
    port,
    privatePort: privatePort.port,
    informed,
    async drain() {
      draining = true;
      worker.refuseTunnels(goaway);
      void paths.stop();
      // The edge first: nodes ask it at once which relays to use instead.
      await edge.report(AbortSignal.timeout(lastReportMs));
      const told = new AbortController();
      void worker.announce(goaway, told.signal);
      await drain({
        limits,
        state: () => worker.counts,
        close: () => worker.close(goaway),
        emptied: () => worker.emptied(),
        clock,
      });
      told.abort();
    },
    async [Symbol.asyncDispose]() {
      privatePort.server.close();
      privatePort.server.closeAllConnections();
      await worker[Symbol.asyncDispose]();
      await paths[Symbol.asyncDispose]();
      await edge[Symbol.asyncDispose]();
    },
  };
}
