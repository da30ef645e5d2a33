/**
 * The public side of a node that runs beside a simulator of a TEE, without relay and tunnel: its own keys, its own proof,
 * its own terminator, and visitors whose connections go straight there.
 */
import { once } from "node:events";
import type { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { evidencePath, evidenceSchema, type Evidence } from "../../../../shared/attestation/evidence.ts";
import { systemClock, type Clock } from "../../../../shared/clock.ts";
import type { Registration } from "../../../../shared/registry/messages.ts";
import type { NodeKeys } from "../../../../tee-bot/attestation/keys/node-keys.ts";
import { NodeProof } from "../../../../tee-bot/attestation/node-proof.ts";
import { openFoundations } from "../../../../tee-bot/attestation/open-foundations.ts";
import { attestationSettingsSchema } from "../../../../tee-bot/attestation/settings.ts";
import {
  startSimulator,
  type Simulator,
  type SimulatorOptions,
} from "../../../../tee-bot/attestation/simulator/simulator.ts";
import { filesIn, type NodeFiles } from "../../../../tee-bot/config.ts";
import { Exposure } from "../../../../tee-bot/expose/exposure.ts";
import type { Target } from "../../../../tee-bot/expose/target.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { createTestCertificate } from "../../../support/certificate.ts";
import { recordingLog } from "../../support/log.ts";
import { visitorAddresses, type Answer } from "../../support/public-name.ts";

export const provenHost = "node.proven.test";

export interface ProvenNameOptions {
  required?: boolean;
  appCompose?: boolean;
  target?: Target;
  /** No TEE at all. */
  absent?: boolean;
  simulator?: Partial<SimulatorOptions>;
  /** What the collateral says from the start. */
  collateral?: Parameters<Simulator["setCollateral"]>[0];
  /** Logs of certificates that the node watches. */
  logs?: string[];
  clock?: Clock;
  /** Whence each connection comes, by its number; the same visitor, if it is not said. */
  addressOf?: (connection: number) => string;
}

export interface ProvenName extends AsyncDisposable {
  readonly proof: NodeProof;
  readonly exposure: Exposure;
  readonly simulator: Simulator;
  readonly keys: NodeKeys;
  readonly files: NodeFiles;
  readonly log: ReturnType<typeof recordingLog>;
  /** Whether the service with the collateral can be reached. */
  readonly network: { up: boolean };
  readonly port: number;
  /** PEM of the certificate that visitors trust. */
  readonly ca: string;
  readonly leaf: X509Certificate;
  dial(options?: ConnectionOptions): Promise<TLSSocket>;
  /** Over HTTP/1.1, on a connection of its own or the one given. */
  ask(
    path: string,
    options?: { socket?: TLSSocket; method?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** What is shown on this connection. */
  evidence(socket: TLSSocket, nonce: string): Promise<Evidence>;
  /** The same over HTTP/2. */
  evidenceOverHttp2(socket: TLSSocket, nonce: string): Promise<Evidence>;
}

export async function startProvenName(options: ProvenNameOptions = {}): Promise<ProvenName> {
  await using stack = new AsyncDisposableStack();
  const { path: state } = stack.use(temporaryFolder());
  const log = recordingLog();
  const { clock = systemClock } = options;
  const network = { up: true };
  const simulator = stack.use(await startSimulator({ state, clock, log, quoteMs: 0, ...options.simulator }));
  simulator.setCollateral(options.collateral ?? {});
  const settings = attestationSettingsSchema.parse({
    ...(options.absent ? { tee: "off" } : { tee: "simulated", socket: simulator.socket }),
    collateral: simulator.pcs,
    required: options.required ?? false,
    appCompose: options.appCompose ?? true,
    watch: { logs: options.logs ?? [] },
  });
  const files = filesIn(state);
  const opened = await openFoundations({ config: { attestation: settings, files }, env: {}, clock, log });
  const { keys } = opened;

  const exposure: Exposure = new Exposure({
    target: options.target,
    path: files.exposure,
    gateway: {
      request: (request, response, { sourceAddress }) => {
        if (request.url?.startsWith("/v1/aci/")) proof.pages.report(request, response, sourceAddress);
        else response.end("the gateway");
      },
      upgrade: (_, socket) => void socket.destroy(),
    },
    challenges: { pending: false, contextFor: () => undefined },
    showEvidence: (request, response, { sourceAddress }) => proof.pages.connection(request, response, sourceAddress),
    mustProve: settings.required,
    log,
  });
  stack.defer(() => exposure.close());
  const proof: NodeProof = new NodeProof({
    ...opened,
    config: { attestation: settings, acmeAccount: "edge", files },
    terminator: exposure.terminator,
    resolvers: () => [],
    fetch: (url, init) => (network.up ? fetch(url, init) : Promise.reject(new Error("no network here"))),
    clock,
    random: () => 0.5,
    log,
    onChange: () => {},
  });
  const { certificate, leaf } = await createTestCertificate({
    hostnames: [provenHost],
    privateKey: keys.tls.privateKey,
  });
  const stop = new AbortController();
  const run = proof.run(stop.signal);
  stack.defer(async () => {
    stop.abort();
    await run;
  });
  const registration = { hostnames: [provenHost], zone: "proven.test" } as unknown as Registration;
  proof.serve(certificate, registration);

  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // as the tunnel does
    const sourceAddress = options.addressOf?.(connections++) ?? visitorAddresses.sourceAddress;
    exposure.visit({ socket, addresses: { ...visitorAddresses, sourceAddress } });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;

  const dial: ProvenName["dial"] = async (extra = {}) => {
    const socket = connectTls({ port, host: "127.0.0.1", ca: certificate, servername: provenHost, ...extra });
    sockets.add(socket);
    await once(socket, "secureConnect");
    return socket.on("error", () => {});
  };
  const ask: ProvenName["ask"] = async (path, { socket, method = "GET", headers = {} } = {}) => {
    const on = socket ?? (await dial({ ALPNProtocols: ["http/1.1"] }));
    const sent = httpsRequest({ path, method, createConnection: () => on, headers: { host: provenHost, ...headers } });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    let body = "";
    for await (const chunk of response.setEncoding("utf8")) body += chunk as string;
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  };
  const running = stack.move();
  return {
    proof,
    exposure,
    simulator,
    keys,
    files,
    log,
    network,
    port,
    ca: certificate,
    leaf,
    dial,
    ask,
    async evidence(socket, nonce) {
      const { body } = await ask(`${evidencePath}?nonce=${nonce}`, { socket, headers: { connection: "keep-alive" } });
      return evidenceSchema.parse(JSON.parse(body));
    },
    async evidenceOverHttp2(socket, nonce) {
      const session = connectHttp2(`https://${provenHost}:${port}`, { createConnection: () => socket });
      const stream = session.request({ ":path": `${evidencePath}?nonce=${nonce}` });
      let body = "";
      for await (const chunk of stream.setEncoding("utf8")) body += chunk as string;
      session.close();
      return evidenceSchema.parse(JSON.parse(body));
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
