/**
 * An edge, two relays and a node, each a process, in a zone whose DNS is real: relays are found at addresses of their
 * own, in front of which a test may stand.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../../shared/clock.ts";
import { identityOfPem } from "../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../shared/registry/edge-client.ts";
import { nodeViewSchema, type NodeView } from "../../shared/registry/messages.ts";
import type { NodeStatus } from "../../tee-bot/control/status.ts";
import { createTestCertificate } from "./certificate.ts";
import { startCloudflareApi } from "./dns/cloudflare-api.ts";
import { startZoneServer } from "./dns/zone-server.ts";
import { ZoneStore } from "./dns/zone-store.ts";
import { startFleetProcesses } from "./fleet-processes.ts";
import { Front } from "./front.ts";
import { freePort, root } from "./postern.ts";

export const zone = "paths.test";
const alias = "walked";
export const name = `${alias}.${zone}`;

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
  const store = new ZoneStore(zone);
  const dns = stack.use(await startZoneServer(store));
  const api = stack.use(await startCloudflareApi(store));
  const vars = {
    LEASE_MS: "6000",
    RELAY_HEARTBEAT_MS: "500",
    DNS: "cloudflare",
    CLOUDFLARE_API: api.url,
    CLOUDFLARE_API_TOKEN: api.token,
    ZONE_ID: api.zoneId,
  };
  const fleet = stack.use(await startFleetProcesses({ zone, labels: ["a", "b"], vars }));

  const impostor = await createTestCertificate({ hostnames: [name] });
  const startRelay = async (label: string, address: string): Promise<FrontedRelay> => {
    const port = await freePort();
    const front = stack.use(new Front({ host: address, port, target: port, certificate: impostor }));
    await front.open();
    const environment = {
      RELAY_PUBLIC_HOST: "127.0.0.1", // tunnels go past the front
      RELAY_PUBLIC_ADDRESSES: address,
      RELAY_DNS_SERVERS: dns.address,
      RELAY_PROBE_MS: "1000",
      RELAY_PROBE_RETRY_MS: "300",
    };
    const relay = await fleet.startRelay(label, { port, environment });
    return { label, name: relay.name, address, front };
  };
  const relays = [await startRelay("a", "127.0.0.2"), await startRelay("b", "127.0.0.3")] as const;

  await fleet.startNode(alias);
  const state = fleet.stateOf(alias);
  const node = await identityOfPem(readFileSync(join(state, "identity.pem"), "utf8"), Date.now());
  const signer = { id: node.id, role: "postern-node", privateKey: node.signingKey } as const;
  const client = new EdgeClient({ edge: fleet.edge, signer, clock: systemClock, fetch });

  const all = stack.move();
  return {
    relays,
    get status() {
      return fleet.status(alias);
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
