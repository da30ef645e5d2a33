/**
 * An edge, two relays and a node, each a process, in a zone whose DNS is real: relays are found at addresses of their
 * own, in front of which a test may stand.
 */
import { execFile, fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildWorker } from "../../scripts/build-worker.ts";
import { readOrCreateLocalCa } from "../../scripts/local-ca.ts";
import { systemClock } from "../../shared/clock.ts";
import { identityOfPem, readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../shared/registry/edge-client.ts";
import { nodeViewSchema, type NodeView } from "../../shared/registry/messages.ts";
import type { NodeStatus } from "../../tee-bot/control/status.ts";
import { createTestCertificate } from "./certificate.ts";
import { startCloudflareApi } from "./dns/cloudflare-api.ts";
import { startZoneServer } from "./dns/zone-server.ts";
import { ZoneStore } from "./dns/zone-store.ts";
import { Front } from "./front.ts";
import { freePort, root, stopProcess } from "./postern.ts";

export const zone = "paths.test";
export const name = `walked.${zone}`;

export interface FrontedRelay {
  readonly label: string;
  /** Its own name. */
  readonly name: string;
  /** Where visitors reach it. */
  readonly address: string;
  readonly front: Front;
}

export interface PublicPathWorld extends AsyncDisposable {
  readonly relays: readonly [FrontedRelay, FrontedRelay];
  /** The node's, as it told it last. */
  readonly status: NodeStatus | undefined;
  /** What `postern status` prints, and its exit code. */
  printedStatus(): Promise<{ text: string; code: number }>;
  /** What the edge knows of the node. */
  view(): Promise<NodeView>;
  /** To which addresses DNS leads visitors now, sorted. */
  addresses(): string[];
}

export async function startPublicPathWorld(): Promise<PublicPathWorld> {
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "postern-paths-"));
  stack.defer(() => rmSync(directory, { recursive: true, force: true }));
  const store = new ZoneStore(zone);
  const dns = stack.use(await startZoneServer(store));
  const api = stack.use(await startCloudflareApi(store));
  let status: NodeStatus | undefined;

  const start = (script: string, args: string[], env: Record<string, string>): Promise<ChildProcess> => {
    const child = fork(join(root, script), args, {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: { ...process.env, ...env, LOG_LEVEL: "error" },
    });
    stack.defer(async () => void (await stopProcess(child, "SIGTERM")));
    return new Promise((resolve, reject) => {
      child.on("message", (message: { ready?: boolean; status?: NodeStatus }) => {
        if (message.status) status = message.status;
        if (message.ready || message.status) resolve(child);
      });
      child.once("exit", (code) => reject(new Error(`${script} ended with exit code ${code}`)));
    });
  };

  const { certificatePem: _ } = await readOrCreateLocalCa(join(directory, "ca"), zone);
  const identityFile = (label: string): string => join(directory, `${label}.pem`);
  const labels = ["a", "b"] as const;
  const keys = await Promise.all(labels.map((label) => readOrCreateIdentity(identityFile(label), Date.now())));
  const edgePort = await freePort();
  const edge = `http://127.0.0.1:${edgePort}`;
  await start("scripts/edge-process.ts", [], {
    EDGE_PORT: String(edgePort),
    EDGE_STATE: join(directory, "edge"),
    EDGE_BUNDLE: await buildWorker({ outDir: join(root, "node_modules", ".cache", "postern", "edge") }),
    EDGE_VARS: JSON.stringify({
      ZONE: zone,
      RELAY_KEYS: keys.map(({ id }) => id).join(","),
      LEASE_MS: "6000",
      RELAY_HEARTBEAT_MS: "500",
      DNS: "cloudflare",
      CLOUDFLARE_API: api.url,
      CLOUDFLARE_API_TOKEN: api.token,
      ZONE_ID: api.zoneId,
    }),
    EDGE_CA_DIR: join(directory, "ca"),
  });

  const impostor = await createTestCertificate({ hostnames: [name] });
  const startRelay = async (label: string, address: string): Promise<FrontedRelay> => {
    const port = await freePort();
    const front = stack.use(new Front({ host: address, port, target: port, certificate: impostor }));
    await front.open();
    const relayName = `relay-${label}.${zone}`;
    await start("relay/main.ts", [], {
      RELAY_EDGE_URL: edge,
      RELAY_ZONE: zone,
      RELAY_NAME: relayName,
      RELAY_LISTEN_HOST: "127.0.0.1",
      RELAY_PUBLIC_HOST: "127.0.0.1", // tunnels go past the front
      RELAY_PUBLIC_ADDRESSES: address,
      RELAY_PORT: String(port),
      RELAY_PRIVATE_PORT: "0",
      RELAY_IDENTITY_FILE: identityFile(label),
      RELAY_DNS_SERVERS: dns.address,
      RELAY_PROBE_MS: "1000",
      RELAY_PROBE_RETRY_MS: "300",
    });
    return { label, name: relayName, address, front };
  };
  const relays = [await startRelay("a", "127.0.0.2"), await startRelay("b", "127.0.0.3")] as const;

  const state = join(directory, "node");
  const flags = ["--edge", edge, "--alias", "walked", "--state", state, "--gateway-port", "0", "--control-port", "0"];
  await start("tee-bot/cli/main.ts", ["start", ...flags], {});
  const node = await identityOfPem(readFileSync(join(state, "identity.pem"), "utf8"), Date.now());
  const signer = { id: node.id, role: "postern-node", privateKey: node.signingKey } as const;
  const client = new EdgeClient({ edge, signer, clock: systemClock, fetch });

  const all = stack.move();
  return {
    relays,
    get status() {
      return status;
    },
    async printedStatus() {
      const command = [join(root, "tee-bot/cli/main.ts"), "status", "--state", state];
      const run = promisify(execFile)(process.execPath, command, { timeout: 20_000 });
      return run.then(
        ({ stdout }) => ({ text: stdout, code: 0 }),
        ({ stdout, code }: { stdout: string; code: number }) => ({ text: stdout, code }),
      );
    },
    view: () => client.request("GET", `/v1/nodes/${node.id}`, nodeViewSchema),
    addresses: () =>
      store
        .now()
        .at(name)
        .filter(({ type }) => type === "A")
        .map(({ content }) => content)
        .toSorted(),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
