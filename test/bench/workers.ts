/** What do a GiB and a new connection cost a relay of two threads, beside one of one thread, and how do visitors spread over them? */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { generateIdentityPem, identityOfPem } from "../../shared/nodejs/identity-file.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";
import { EdgeStandIn } from "../support/edge-stand-in.ts";
import { root } from "../support/postern.ts";
import { startBackend, type Backend, type TunnelOrder } from "./support/backend-process.ts";
import { runLoad, type Door } from "./support/load.ts";
import { readCpuSeconds } from "./support/proc.ts";
import { startMs, stop } from "./support/processes.ts";
import { line, median, short } from "./support/table.ts";

const zone = "zone.test";
const threadCounts = [1, 2] as const;
const gibibyte = 2 ** 30;
const visitors = 10_000;
const concurrent = 16;
const restMs = 300;

interface BenchRelay extends AsyncDisposable, Door {
  readonly threads: number;
  readonly pid: number;
  /** Visitors that each thread has had. */
  readonly spread: Map<number, number>;
  readonly gibibyte: number[];
  readonly connection: number[];
}

/** A Markdown table, from rounds in which each relay is measured once. */
export async function measureWorkers(
  directory: string,
  client: string,
  repetitions: number,
  scale: number,
): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const edge = stack.use(await new EdgeStandIn(zone).start());
  const backend = stack.use(await startBackend(join(directory, "workers"), zone));
  const relays: BenchRelay[] = [];
  for (const threads of threadCounts) relays.push(stack.use(await startRelay({ edge, backend, directory, threads })));
  const [bodyBytes, exchanges] = [Math.ceil(gibibyte * scale), Math.ceil(visitors * scale)];
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const relay of relays) {
      const bulk = { bodyBytes, connections: 4, exchanges: 4, connect: "keep" } as const;
      relay.gibibyte.push((await cpuOf(relay, () => runLoad(client, relay, bulk))) / (4 * scale));
      const many = { bodyBytes: 64, connections: concurrent, exchanges, connect: "new" } as const;
      relay.connection.push(((await cpuOf(relay, () => runLoad(client, relay, many))) * 1000) / exchanges);
      console.error(
        `  workers: ${relay.threads} threads, ${relay.gibibyte.at(-1)} s/GiB, ${relay.connection.at(-1)} ms`,
      );
    }
  return format(relays);
}

async function cpuOf({ pid }: BenchRelay, load: () => Promise<unknown>): Promise<number> {
  const before = readCpuSeconds(pid);
  await load();
  await new Promise((resolve) => setTimeout(resolve, restMs)); // for the last to leave
  return readCpuSeconds(pid) - before;
}

async function startRelay(options: {
  edge: EdgeStandIn;
  backend: Backend;
  directory: string;
  threads: number;
}): Promise<BenchRelay> {
  const { edge, backend, directory, threads } = options;
  const name = `relay-${threads}.${zone}`;
  const child = fork(join(root, "relay/main.ts"), {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: {
      ...process.env,
      RELAY_EDGE_URL: edge.url,
      RELAY_ZONE: zone,
      RELAY_NAME: name,
      RELAY_LISTEN_HOST: "127.0.0.1",
      RELAY_PORT: "0",
      RELAY_PRIVATE_PORT: "0",
      RELAY_IDENTITY_FILE: join(directory, `relay-${threads}.pem`),
      RELAY_WORKERS: String(threads),
    },
  });
  const spread = new Map<number, number>();
  if (child.stdout)
    createInterface(child.stdout).on("line", (text) => {
      const { event, worker = 0 } = JSON.parse(text) as { event: string; worker?: number };
      if (event === "visitor.ended") spread.set(worker, (spread.get(worker) ?? 0) + 1);
    });
  const signal = AbortSignal.timeout(startMs);
  const [{ relay, port }] = (await once(child, "message", { signal })) as [{ relay: NodeId; port: number }];
  const pem = generateIdentityPem();
  const serverName = edge.register((await identityOfPem(pem, Date.now())).id, 1);
  const answer = once(backend.process, "message", { signal });
  const endpoint = { relay, host: "127.0.0.1", port, name };
  backend.process.send({ pem, epoch: 1, relay: endpoint, transport: "pool" } satisfies TunnelOrder);
  await answer;
  const figures = { gibibyte: [], connection: [] };
  const end = (): Promise<void> => stop(child);
  return { threads, pid: child.pid ?? 0, port, serverName, spread, ...figures, [Symbol.asyncDispose]: end };
}

function format(relays: readonly BenchRelay[]): string {
  const head = ["**threads of a relay**", "CPU s/GiB", "CPU ms/connection", "connections of each thread"];
  const rows = relays.map(({ threads, spread, ...figures }) => {
    const cells = [figures.gibibyte, figures.connection].map((all) => {
      return `${short(median(all))} (${short(Math.min(...all))}–${short(Math.max(...all))})`;
    });
    const shares = [...spread].toSorted(([a], [b]) => a - b).map(([, count]) => count.toLocaleString("en"));
    return line([String(threads), ...cells, shares.join(", ")]);
  });
  return [line(head), line(head.map(() => "---")), ...rows].join("\n");
}
