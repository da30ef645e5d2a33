/**
 * Pebble, Let's Encrypt's small CA for tests, on free ports of loopback. Version 2.4.0 has no ARI and no profiles, names
 * no caaIdentities, has no rate limits and does not look at CAA records: acme-proxy.ts adds what tests need of that.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PebbleEnded, runPebble, type PebbleProcess } from "./pebble-process.ts";
import { createTlsCa, type TlsCa } from "./tls-ca.ts";
import { getOverTls } from "./tls-get.ts";

export interface PebbleOptions {
  /** `127.0.0.1:port` of the name server that validations ask. */
  dnsServer: string;
  /** Where `tls-alpn-01` and `http-01` are validated. */
  tlsPort?: number;
  httpPort?: number;
  /** Percent of good nonces that are refused: none unless said. */
  nonceReject?: number;
  /** Percent of valid authorizations that are used again: none unless said. */
  authzReuse?: number;
  /** Intermediates in the chain. */
  chainLength?: number;
  /** Roots besides the first, each with a chain of its own (`Link: rel="alternate"`). */
  alternateRoots?: number;
  strict?: boolean;
  /** Longest random wait before a validation: none unless said. In whole seconds. */
  sleepMs?: number;
  /** Key ids and their MAC keys, base64url: new accounts must be bound to one. */
  externalAccounts?: Readonly<Record<string, string>>;
  /** The CA of its HTTPS, where that has to be known before it starts: one of its own unless given. */
  tls?: TlsCa;
  /** How long certificates last; Pebble's own choice is five years. */
  validitySeconds?: number;
}

export interface Pebble extends AsyncDisposable {
  /** URL of the ACME directory. */
  readonly directory: string;
  readonly port: number;
  readonly tls: TlsCa;
  /** PEM file of the CA under which the directory is reached, for NODE_EXTRA_CA_CERTS. */
  readonly caPath: string;
  readonly pid: number;
  /** What it logged last. */
  output(): string;
  /** PEM of the roots that certificates lead to: the default one first, then the alternates. */
  roots(): Promise<string[]>;
  intermediates(): Promise<string[]>;
  /** Ends it as kill -9 does. */
  stop(): Promise<void>;
  /** Starts it at the same ports; accounts, orders, roots: everything it knew is lost. */
  restart(): Promise<void>;
}

const maxAttempts = 5;
const answerDeadlineMs = 5_000;
const pollMs = 10;
const unusedPort = 9; // discard: nobody listens

export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const tls = options.tls ?? (await createTlsCa(Date.now()));
  const folder = mkdtempSync(join(tmpdir(), "postern-pebble-"));
  const caPath = join(folder, "ca.pem");
  writeFileSync(caPath, tls.root);
  writeFileSync(join(folder, "cert.pem"), tls.cert);
  writeFileSync(join(folder, "key.pem"), tls.key, { mode: 0o600 });
  const run = async (port: number, managementPort: number): Promise<PebbleProcess> => {
    const config = join(folder, "config.json");
    writeFileSync(config, JSON.stringify({ pebble: configOf(options, folder, port, managementPort) }));
    const args = ["-config", config, "-dnsserver", options.dnsServer, `-strict=${options.strict ?? false}`];
    const pebble = await runPebble(args, environmentOf(options));
    await answers(pebble, [directoryAt(port), `https://localhost:${managementPort}/roots/0`], tls.root);
    return pebble;
  };
  try {
    const started = await startOnFreePorts(run);
    return pebbleOf(started, { tls, caPath, folder, chains: 1 + (options.alternateRoots ?? 0), run });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

type Run = (port: number, managementPort: number) => Promise<PebbleProcess>;

interface Started {
  process: PebbleProcess;
  readonly port: number;
  readonly managementPort: number;
}

interface Surroundings {
  readonly tls: TlsCa;
  readonly caPath: string;
  readonly folder: string;
  readonly chains: number;
  readonly run: Run;
}

function pebbleOf(started: Started, { tls, caPath, folder, chains, run }: Surroundings): Pebble {
  const { port, managementPort } = started;
  const readAll = (what: string): Promise<string[]> =>
    Promise.all(
      Array.from({ length: chains }, async (_, chain) => {
        const { status, body } = await getOverTls(`https://localhost:${managementPort}/${what}/${chain}`, tls.root);
        if (status !== 200) throw new Error(`Pebble answered ${status} for ${what}/${chain}.`);
        return body;
      }),
    );
  return {
    directory: directoryAt(port),
    port,
    tls,
    caPath,
    get pid() {
      return started.process.pid;
    },
    output: () => started.process.output(),
    roots: () => readAll("roots"),
    intermediates: () => readAll("intermediates"),
    stop: () => started.process.stop(),
    async restart() {
      await started.process.stop();
      started.process = await run(port, managementPort);
    },
    async [Symbol.asyncDispose]() {
      await started.process.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configOf(options: PebbleOptions, folder: string, port: number, managementPort: number): object {
  const { externalAccounts, validitySeconds, tlsPort = unusedPort, httpPort = unusedPort } = options;
  return {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: join(folder, "cert.pem"),
    privateKey: join(folder, "key.pem"),
    httpPort,
    tlsPort,
    ocspResponderURL: "",
    externalAccountBindingRequired: externalAccounts !== undefined,
    ...(externalAccounts && { externalAccountMACKeys: externalAccounts }),
    ...(validitySeconds !== undefined && { certificateValidityPeriod: validitySeconds }),
  };
}

function environmentOf({ nonceReject, authzReuse, chainLength, alternateRoots, sleepMs = 0 }: PebbleOptions) {
  const sleeping: Record<string, string> =
    sleepMs === 0 ? { PEBBLE_VA_NOSLEEP: "1" } : { PEBBLE_VA_SLEEPTIME: String(Math.ceil(sleepMs / 1000)) };
  return {
    ...sleeping,
    PEBBLE_WFE_NONCEREJECT: String(nonceReject ?? 0),
    PEBBLE_AUTHZREUSE: String(authzReuse ?? 0),
    PEBBLE_CHAIN_LENGTH: String(chainLength ?? 1),
    PEBBLE_ALTERNATE_ROOTS: String(alternateRoots ?? 0),
  };
}

async function startOnFreePorts(run: Run): Promise<Started> {
  for (let attempt = 1; ; attempt++) {
    const [port, managementPort] = await Promise.all([freePort(), freePort()]);
    try {
      return { process: await run(port, managementPort), port, managementPort };
    } catch (error) {
      if (!(error instanceof PebbleEnded) || attempt === maxAttempts) throw error;
    }
  }
}

/** Waits until each of the URLs answers; what Pebble says before it listens is no proof. */
async function answers(pebble: PebbleProcess, urls: readonly string[], ca: string): Promise<void> {
  for (const url of urls) {
    const deadline = Date.now() + answerDeadlineMs;
    for (;;) {
      try {
        await getOverTls(url, ca);
        break;
      } catch (error) {
        if (!pebble.running) throw new PebbleEnded(pebble.output());
        if (Date.now() > deadline) throw error;
        await sleep(pollMs);
      }
    }
  }
}

const directoryAt = (port: number): string => `https://localhost:${port}/dir`;

/** It may be taken by somebody else before it is used. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
