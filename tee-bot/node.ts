/**
 * One private node: who it is, its lease, certificate and tunnels, and what is behind its name. The parts do not know
 * each other; here they are joined.
 */
import { mkdirSync } from "node:fs";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import { aborted } from "../shared/nodejs/termination.ts";
import { EdgeClient } from "../shared/registry/edge-client.ts";
import type { Issuer, Registration } from "../shared/registry/messages.ts";
import { version } from "../shared/version.ts";
import type { TeeState } from "./attestation/attestation.ts";
import type { NodeKeys } from "./attestation/keys/node-keys.ts";
import { NodeProof } from "./attestation/node-proof.ts";
import { verifyUpstreams } from "./attestation/near/upstream-verification.ts";
import { openFoundations, type Foundations } from "./attestation/open-foundations.ts";
import { TlsAlpnResponder } from "./certificate/alpn-responder.ts";
import type { CertificateKeeper } from "./certificate/certificate-keeper.ts";
import { createKeeper } from "./certificate/create-keeper.ts";
import { KnownIssuer } from "./certificate/issuer.ts";
import type { NodeConfig, ReadConfig } from "./config.ts";
import { startControl } from "./control/control.ts";
import type { NodeStatus } from "./control/status.ts";
import { Exposure } from "./expose/exposure.ts";
import { createGateway, type Gateway } from "./gateway/gateway.ts";
import { openEmbedded } from "./gateway/providers/embedded.ts";
import { NameWatch } from "./health/name-watch.ts";
import { PublicPaths } from "./health/public-paths.ts";
import { openInbox, type Inbox } from "./inbox/open-inbox.ts";
import { createOwnKey, openNodeBot } from "./node-bot.ts";
import { decideServedKey } from "./registration/served-key.ts";
import { EdgeView } from "./registration/edge-view.ts";
import { Registrar } from "./registration/registrar.ts";
import { SelfReport } from "./self-report.ts";
import { listenLocal } from "./server/listen-local.ts";
import { createLocalHttp } from "./server/local-http.ts";
import { LiveSettings } from "./settings/live-settings.ts";
import { Tunnels } from "./tunnel/tunnels.ts";

export interface NodeOptions {
  config: NodeConfig;
  /** Reads the settings anew when their file changes; undefined: nobody looks. */
  reread?: () => ReadConfig;
  clock: Clock;
  log: Log;
  /** Told whenever a step was made or lost. */
  onStatus: (status: NodeStatus) => void;
}

const drainMs = 2_000;

/**
 * Runs one node until `stop`, or until another process registers the same key (`superseded`). Throws
 * {@link AppError} when it cannot start: a key file that others can read, a port that is taken.
 */
export async function runNode(options: NodeOptions, stop: AbortSignal): Promise<"stopped" | "superseded"> {
  mkdirSync(options.config.files.directory, { recursive: true, mode: 0o700 });
  return new PrivateNode(options, await openFoundations({ ...options, env: process.env })).run(stop);
}

class PrivateNode {
  readonly #options: NodeOptions;
  readonly #tee: TeeState;
  readonly #keys: NodeKeys;
  readonly #gateway: Gateway;
  readonly #exposure: Exposure;
  readonly #proof: NodeProof;
  readonly #watch: NameWatch;
  readonly #tunnels: Tunnels;
  readonly #registrar: Registrar;
  readonly #certificates: CertificateKeeper;
  readonly #view: EdgeView;
  readonly #paths = new PublicPaths();
  readonly #ending = new AbortController();
  readonly #issuer: KnownIssuer;
  readonly #inbox: Inbox;
  readonly #live: LiveSettings;
  readonly #report: SelfReport;
  readonly #ownKey = createOwnKey();

  constructor(options: NodeOptions, { tee, keys, facts }: Foundations) {
    const { config, clock, log } = options;
    const { files, alias } = config;
    const { identity, tls: key } = keys;
    const { id: node, signingKey: privateKey } = identity;
    const common = { clock, log, random: Math.random };
    this.#options = options;
    this.#tee = tee;
    this.#keys = keys;
    this.#gateway = createGateway({
      settings: config.gateway,
      directory: files.directory,
      ...common,
      ownKey: this.#ownKey,
      health: () => this.#report.health(),
      node,
      env: process.env,
      openEmbedded: (embedded) => openEmbedded(embedded, common),
      showReport: (request, response, address) => this.#proof.pages.report(request, response, address),
      receiptSigner: facts && facts.receiptKey.signer(() => this.#proof.keysetDigest()),
      verification: verifyUpstreams({ collateral: config.attestation.collateral, fetch, clock }),
    });

    const edge = new EdgeClient({
      edge: config.edge,
      signer: { id: node, role: "postern-node", privateKey },
      clock,
      fetch,
    });
    this.#issuer = new KnownIssuer({ edge, path: files.issuer, log });
    const alpn = new TlsAlpnResponder(options);
    this.#exposure = new Exposure({
      target: config.target,
      path: files.exposure,
      gateway: this.#gateway.handler("public"),
      challenges: alpn,
      showEvidence: (request, response, client) =>
        this.#proof.pages.connection(request, response, client.sourceAddress),
      hook: () => this.#report.bot?.publicHook,
      mustProve: config.attestation.required,
      log,
    });
    this.#proof = new NodeProof({
      tee,
      facts,
      keys,
      config,
      terminator: this.#exposure.terminator,
      resolvers: () => this.#issuer.current.resolvers,
      fetch,
      ...common,
      onChange: () => this.#changed(),
    });
    this.#live = new LiveSettings({
      ...options,
      follow: (settings) => this.#gateway.follow(settings),
      onChange: () => this.#tell(),
    });
    this.#watch = new NameWatch({
      subject: () => this.#report.watchSubject(),
      clock,
      log,
      onChange: () => this.#onWatch(),
    });
    this.#tunnels = new Tunnels({
      identity,
      transport: config.tunnel.transport,
      ...common,
      onVisitor: (visitor) => this.#exposure.visit(visitor),
      onChange: () => this.#changed(),
      onSuperseded: () => this.#registrar.confirm(),
      onDraining: () => this.#registrar.confirm(),
      onLost: () => this.#registrar.confirm(),
    });
    this.#registrar = new Registrar({
      node,
      alias,
      version,
      path: files.registration,
      edge,
      ...common,
      servedKey: () => decideServedKey(config.acmeAccount, this.#exposure.target, key, this.#watch),
      onRegistration: (registration) => this.#onRegistration(registration),
      relays: this.#tunnels.lost,
    });
    this.#inbox = openInbox({ config, keys, edge, registrar: () => this.#registrar, fetch, ...common });
    this.#view = new EdgeView({ node, edge, ...common, onChange: () => this.#onView() });
    this.#certificates = createKeeper({
      custody: config.acmeAccount,
      node,
      edge,
      view: this.#view,
      issuer: (signal) => this.#issuerNow(signal),
      alpn,
      acmeAccount: keys.acmeAccount,
      files,
      key,
      ...common,
      onCertificate: ({ chain }) => {
        this.#proof.serve(chain, this.#registrar.current);
        this.#view.check();
        this.#changed();
      },
      onChange: () => this.#tell(),
    });
    this.#report = new SelfReport({
      node,
      tee: tee.tee,
      alias,
      key,
      issuer: this.#issuer,
      registrar: this.#registrar,
      proof: this.#proof,
      certificates: this.#certificates,
      tunnels: this.#tunnels,
      exposure: this.#exposure,
      watch: this.#watch,
      view: this.#view,
      live: this.#live,
      paths: this.#paths,
      clock,
    });
  }

  async run(stop: AbortSignal): Promise<"stopped" | "superseded"> {
    const { config, log } = this.#options;
    const signal = AbortSignal.any([stop, this.#ending.signal]);
    await using _gateway = this.#gateway;
    const gatewayServer = createLocalHttp(this.#gateway.handler("local"));
    await using local = await listenLocal(gatewayServer, config.gatewayPort, "gateway");
    this.#report.gatewayPort = local.port;
    await using control = await startControl({
      port: config.controlPort,
      path: config.files.control,
      status: () => this.#report.status(),
      expose: (target) => {
        this.#exposure.expose(target);
        this.#changed();
      },
      renew: () => this.#renew(),
      ledger: this.#gateway.ledger,
      tee: this.#tee,
      signal: () => this.#report.bot,
      clock: this.#options.clock,
    });
    await using bot = await openNodeBot({
      ...this.#options,
      tee: this.#tee,
      proof: this.#proof,
      gateway: this.#gateway,
      ownKey: this.#ownKey,
      report: this.#report,
    });
    using _live = this.#live;
    const node = this.#keys.identity.id;
    log.info("node.started", { node, gatewayPort: local.port, controlPort: control.port });

    this.#certificates.useStored();
    for (const part of [this.#proof, bot, this.#watch, this.#view, this.#inbox]) void part?.run(signal);
    const outcome = await Promise.race([this.#registrar.run(signal), aborted(signal)]).then(
      () => "stopped" as const,
      (error: unknown) => {
        if (error instanceof AppError && error.code === "epoch-superseded") return "superseded" as const;
        throw error;
      },
    );

    log.info("node.stopping", { outcome });
    if (outcome === "stopped") await this.#registrar.release();
    this.#ending.abort();
    await this.#tunnels.drain(drainMs);
    this.#exposure.close();
    return outcome;
  }

  #onRegistration(registration: Registration): void {
    if (this.#paths.follow(registration)) this.#view.check();
    this.#proof.follow(registration);
    this.#tunnels.follow(registration);
    this.#certificates.follow(registration.hostnames, this.#ending.signal);
    if (this.#registrar.fresh && !this.#issuer.isOf(registration.epoch)) {
      this.#view.check();
      void this.#issuerNow(this.#ending.signal).then(() => this.#changed());
    }
    this.#changed();
  }

  /** Who signs, as of the registration there is. */
  #issuerNow(signal: AbortSignal): Promise<Issuer> {
    return this.#issuer.at(this.#registrar.current?.epoch ?? 0, signal);
  }

  /** The name answers, or does not any more, or another key does. */
  #onWatch(): void {
    this.#registrar.checkKey();
    this.#tell();
  }

  #onView(): void {
    this.#proof.follow(this.#registrar.current, this.#view.accounts);
    this.#certificates.reconsider();
    this.#tell();
  }

  #renew(): void {
    if (!this.#registrar.current)
      throw new AppError("not-registered", "This node has no name yet for which a certificate could be ordered.");
    this.#certificates.renew();
  }

  #changed(): void {
    this.#watch.check();
    this.#tell();
  }

  #tell(): void {
    this.#options.onStatus(this.#report.tell());
  }
}
