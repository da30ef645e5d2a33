import { mkdirSync } from "node:fs";
import type { Server } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Clock } from "../shared/clock.ts";
import { AppError, errorText } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import { readOrCreateIdentity } from "../shared/nodejs/identity-file.ts";
import { aborted } from "../shared/nodejs/termination.ts";
import { EdgeClient } from "../shared/registry/edge-client.ts";
import type { Registration } from "../shared/registry/messages.ts";
import { version } from "../shared/version.ts";
import { CertificateKeeper } from "./certificate/certificate-keeper.ts";
import { fetchIssuer, readIssuer } from "./certificate/issuer.ts";
import { readOrCreateTlsKey } from "./certificate/tls-key.ts";
import type { NodeConfig } from "./config.ts";
import { startControl } from "./control/control.ts";
import type { NodeStatus } from "./control/status.ts";
import { Exposure } from "./expose/exposure.ts";
import { formatTarget } from "./expose/target.ts";
import { createGateway } from "./gateway/app.ts";
import { handlerOf } from "./gateway/handler.ts";
import { decideHealth, type HealthReport } from "./health/health.ts";
import { NameWatch } from "./health/name-watch.ts";
import { reportSteps } from "./health/steps.ts";
import { Registrar } from "./registration/registrar.ts";
import { listenLocal } from "./server/listen-local.ts";
import { Tunnels } from "./tunnel/tunnels.ts";

export interface NodeOptions {
  config: NodeConfig;
  clock: Clock;
  log: Log;
  /** Ends the node. */
  stop: AbortSignal;
  /** Told whenever a step was made or lost. */
  onStatus: (status: NodeStatus) => void;
}

const drainMs = 2_000;

/**
 * Runs one node until `stop`, or until another process registers the same key (`superseded`): who it is, its lease,
 * certificate and tunnels, and what is behind its name. The parts do not know each other; here they are joined.
 */
export async function runNode({ config, clock, log, stop, onStatus }: NodeOptions): Promise<"stopped" | "superseded"> {
  const { files, alias } = config;
  mkdirSync(files.directory, { recursive: true, mode: 0o700 });
  const identity = await readOrCreateIdentity(files.identity, clock.now());
  const node = identity.id;
  const key = readOrCreateTlsKey(files.tlsKey);
  let issuer = readIssuer(files.issuer);
  let issuerEpoch = 0;
  const ending = new AbortController();
  const signal = AbortSignal.any([stop, ending.signal]);
  const random = Math.random;
  const signer = { id: node, role: "postern-node", privateKey: identity.signingKey } as const;
  const edge = new EdgeClient({ edge: config.edge, signer, clock, fetch });

  const gateway = createGateway({ health });
  const exposure = new Exposure({ target: config.target, path: files.exposure, gateway: handlerOf(gateway), log });
  const watch = new NameWatch({ subject: watchSubject, clock, log, onChange: tell });
  const tunnels = new Tunnels({
    identity,
    clock,
    log,
    onVisitor: (visitor) => exposure.visit(visitor),
    onChange: changed,
    onSuperseded: () => registrar.confirm(),
  });
  const registrar = new Registrar({
    node,
    alias,
    version,
    path: files.registration,
    edge,
    clock,
    log,
    random,
    onRegistration,
  });
  const certificates = new CertificateKeeper({
    node,
    key,
    path: files.certificate,
    edge,
    clock,
    log,
    random,
    onCertificate: ({ chain }) => {
      exposure.terminator.setCertificate(chain, key.pem);
      changed();
    },
  });

  const gatewayServer = createAdaptorServer({ fetch: gateway.fetch }) as Server;
  const gatewayPort = await listenLocal(gatewayServer, config.gatewayPort, "gateway");
  await using _control = await startControl({
    port: config.controlPort,
    path: files.control,
    status,
    expose: (target) => {
      exposure.expose(target);
      changed();
    },
  });
  log.info("node.started", { node, gatewayPort, controlPort: _control.port });

  void watch.run(signal);
  const outcome = await Promise.race([registrar.run(signal), aborted(stop)]).then(
    () => "stopped" as const,
    (error: unknown) => {
      if (error instanceof AppError && error.code === "epoch-superseded") return "superseded" as const;
      throw error;
    },
  );

  log.info("node.stopping", { outcome });
  if (outcome === "stopped") await registrar.release();
  ending.abort();
  await tunnels.drain(drainMs);
  exposure.close();
  gatewayServer.close();
  return outcome;

  function onRegistration(registration: Registration): void {
    tunnels.follow(registration);
    certificates.follow(registration.hostnames, signal);
    if (registrar.fresh && registration.epoch !== issuerEpoch) void refreshIssuer(registration.epoch);
    changed();
  }

  async function refreshIssuer(epoch: number): Promise<void> {
    try {
      issuer = await fetchIssuer(edge, files.issuer, signal);
      issuerEpoch = epoch;
      changed();
    } catch (error) {
      log.info("issuer.kept", { error: errorText(error) });
    }
  }

  function changed(): void {
    watch.check();
    tell();
  }

  function tell(): void {
    if (registrar && certificates) onStatus(status());
  }

  function watchSubject() {
    const hostnames = registrar.current?.hostnames ?? [];
    const ready = hostnames.length > 0 && tunnels.up.length > 0 && certificates.current !== undefined;
    if (!ready) return undefined;
    return { hostnames, relays: tunnels.up, roots: issuer.roots, spki: key.spki, target: exposure.target };
  }

  function health(): HealthReport {
    const steps = reportSteps({ node, alias, registrar, certificates, tunnels, watch });
    return decideHealth(steps, { hostnames: registrar.current?.hostnames ?? [], wasHealthy: watch.wasHealthy });
  }

  function status(): NodeStatus {
    const { current } = registrar;
    const hostnames = current?.hostnames ?? [];
    const port = current?.relays[0]?.port;
    const url =
      hostnames[0] === undefined
        ? null
        : `https://${hostnames[0]}${port === undefined || port === 443 ? "" : `:${port}`}`;
    const up = new Set(tunnels.up.map(({ relay }) => relay));
    return {
      node,
      version,
      epoch: current?.epoch ?? null,
      url,
      hostnames: [...hostnames],
      target: formatTarget(exposure.target),
      gateway: `http://127.0.0.1:${gatewayPort}`,
      relays: (current?.relays ?? []).map(({ relay, name }) => ({ name, up: up.has(relay) })),
      visitors: exposure.terminator.connections,
      health: health() as NodeStatus["health"],
    };
  }
}
