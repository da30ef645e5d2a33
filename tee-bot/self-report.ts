/** What a node tells of itself, from what its parts know: its status, its health, and what its name watch looks at. */
import type { Clock } from "../shared/clock.ts";
import { version } from "../shared/version.ts";
import type { Tee } from "./attestation/attestation.ts";
import type { NodeProof } from "./attestation/node-proof.ts";
import type { Bot } from "./bot/bot.ts";
import type { CertificateKeeper } from "./certificate/certificate-keeper.ts";
import type { KnownIssuer } from "./certificate/issuer.ts";
import type { TlsKey } from "./certificate/tls-key.ts";
import { decideTrust } from "./certificate/trust.ts";
import type { NodeStatus } from "./control/status.ts";
import type { Exposure } from "./expose/exposure.ts";
import { formatTarget } from "./expose/target.ts";
import { decideHealth, type HealthReport } from "./health/health.ts";
import type { NameWatch, NameWatchSubject } from "./health/name-watch.ts";
import { areCutOff, type PublicPaths } from "./health/public-paths.ts";
import { reportSteps } from "./health/steps.ts";
import type { EdgeView } from "./registration/edge-view.ts";
import { publicUrlOf } from "./registration/public-url.ts";
import type { Registrar } from "./registration/registrar.ts";
import type { LiveSettings } from "./settings/live-settings.ts";
import type { Tunnels } from "./tunnel/tunnels.ts";

export interface SelfReportParts {
  readonly node: string;
  readonly tee: Tee;
  readonly alias: string | undefined;
  readonly key: TlsKey;
  readonly issuer: KnownIssuer;
  readonly registrar: Registrar;
  readonly proof: NodeProof;
  readonly certificates: CertificateKeeper;
  readonly tunnels: Tunnels;
  readonly exposure: Exposure;
  readonly watch: NameWatch;
  readonly view: EdgeView;
  readonly live: LiveSettings;
  readonly paths: PublicPaths;
  readonly clock: Clock;
}

export class SelfReport {
  readonly #parts: SelfReportParts;
  /** Where the gateway listens on this machine. */
  gatewayPort = 0;
  /** Undefined: there is none, or not yet. */
  bot: Bot | undefined;
  /** Whether this process has told once that every step is made; only then do troubles count. */
  #wasComplete = false;

  constructor(parts: SelfReportParts) {
    this.#parts = parts;
  }

  health(): HealthReport {
    const { node, tee, alias, registrar, proof, certificates, tunnels, watch, view } = this.#parts;
    const paths = this.#pathsNow();
    const steps = reportSteps({ node, alias, registrar, proof: proof.step, certificates, tunnels, watch, paths });
    return decideHealth(steps, {
      tee,
      hostnames: registrar.current?.hostnames ?? [],
      wasHealthy: watch.wasHealthy,
      troubled: proof.troubles.length > 0 || (this.#wasComplete && view.troubles.length > 0),
      cutOff: areCutOff(paths),
    });
  }

  /** The status, for who is told of each change. */
  tell(): NodeStatus {
    const status = this.status();
    this.#wasComplete ||= status.health.status === "healthy";
    return status;
  }

  status(): NodeStatus {
    const { node, tee, registrar, proof, certificates, tunnels, exposure, view, live } = this.#parts;
    const { current } = registrar;
    const up = new Set(tunnels.up.map(({ relay }) => relay));
    return {
      node,
      version,
      tee,
      epoch: current?.epoch ?? null,
      url: publicUrlOf(current),
      hostnames: current?.hostnames ?? [],
      target: formatTarget(exposure.target),
      gateway: `http://127.0.0.1:${this.gatewayPort}`,
      relays: (current?.relays ?? []).map((relay) => ({
        name: relay.name,
        up: up.has(relay.relay),
        transport: tunnels.to(relay)?.transport,
      })),
      paths: this.#pathsNow(),
      visitors: exposure.terminator.connections,
      ...(this.bot && { signal: this.bot.state() }),
      certificate: certificates.report,
      troubles: [...proof.troubles, ...view.troubles, ...live.troubles],
      health: this.health(),
    };
  }

  /** Undefined while there is nothing to look at: no name, no relay, no certificate. */
  watchSubject(): NameWatchSubject | undefined {
    const { registrar, tunnels, certificates, issuer, key, exposure } = this.#parts;
    const hostnames = registrar.current?.hostnames ?? [];
    const relays = tunnels.up;
    const certificate = certificates.current;
    if (hostnames.length === 0 || relays.length === 0 || !certificate) return undefined;
    const trust = decideTrust(issuer.current, certificate);
    return { hostnames, relays, ...trust, spki: key.spki, target: exposure.target };
  }

  #pathsNow() {
    const { paths, clock } = this.#parts;
    return paths.at(clock.now());
  }
}
