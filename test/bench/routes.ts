/** How soon is a relay ready that is told 100,000 routes, and how much more memory does it have than one with none? */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseNodeId } from "../../shared/registry/node-id.ts";
import { EdgeStandIn } from "../support/edge-stand-in.ts";
import { root } from "../support/postern.ts";
import { stop } from "./support/processes.ts";
import { readResidentBytes } from "./support/proc.ts";
import { line, medianOf, short } from "./support/table.ts";

const zone = "zone.test";
const routes = 100_000;
const readyMs = 60_000;
const pollMs = 20;
const restMs = 3_000; // for the garbage of the start to be collected
const goals = { seconds: 3, addedMegabytes: 100 };
const kinds = ["none", "from the edge", "from its cache"] as const;

interface Start {
  readonly kind: (typeof kinds)[number];
  readonly seconds: number;
  readonly megabytes: number;
}

/** Starts anew, and again with what the first start has kept. */
export async function measureRoutes(repetitions: number, scale: number): Promise<string> {
  const count = Math.ceil(routes * scale);
  await using edge = await new EdgeStandIn(zone).start();
  await using emptyEdge = await new EdgeStandIn(zone).start();
  for (let at = 0; at < count; at += 1_000)
    edge.tell(
      Array.from({ length: Math.min(1_000, count - at) }, (_, index) => {
        const node = parseNodeId(
          createHash("sha256")
            .update(String(at + index))
            .digest("hex"),
        );
        return { name: `${node.slice(-52)}.${zone}`, node, epoch: 1 };
      }),
    );
  const starts: Start[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const directory = mkdtempSync(join(tmpdir(), "postern-routes-"));
    const emptyDirectory = join(directory, "empty");
    try {
      mkdirSync(emptyDirectory);
      for (const kind of kinds) {
        const started =
          kind === "none" ? startOnce(emptyEdge.url, emptyDirectory, 0) : startOnce(edge.url, directory, count);
        starts.push({ kind, ...(await started) });
        console.error(`  routes: ${kind} ${starts.at(-1)?.seconds} s, ${starts.at(-1)?.megabytes} MB`);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  return format(starts, count);
}

async function startOnce(edge: string, directory: string, count: number) {
  const startedAt = performance.now();
  const child = fork(join(root, "relay/main.ts"), {
    env: {
      ...process.env,
      RELAY_EDGE_URL: edge,
      RELAY_ZONE: zone,
      RELAY_LISTEN_HOST: "127.0.0.1",
      RELAY_PORT: "0",
      RELAY_PRIVATE_PORT: "0",
      RELAY_IDENTITY_FILE: join(directory, "relay.pem"),
      RELAY_STATE_DIR: directory,
      LOG_LEVEL: "error",
    },
  });
  try {
    const signal = AbortSignal.timeout(readyMs);
    const [{ privatePort }] = (await once(child, "message", { signal })) as [{ privatePort: number }];
    while (!(await isReady(privatePort, count))) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    const seconds = (performance.now() - startedAt) / 1000;
    await new Promise((resolve) => setTimeout(resolve, restMs));
    return { seconds, megabytes: readResidentBytes(child.pid ?? 0) / 1e6 };
  } finally {
    await stop(child);
  }
}

/** Whether it says that it is ready, and knows all names. */
async function isReady(port: number, count: number): Promise<boolean> {
  const { ok } = await fetch(`http://127.0.0.1:${port}/readyz`);
  const health = (await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()) as { routes: number };
  return ok && health.routes >= count;
}

function format(starts: readonly Start[], count: number): string {
  const of = (kind: Start["kind"], key: "seconds" | "megabytes"): number =>
    medianOf(
      starts.filter((start) => start.kind === kind),
      key,
    );
  const judge = (value: number, goal: number): string => ` (goal ${goal}: ${value <= goal ? "met" : "missed"})`;
  const head = [
    `**a relay with ${count.toLocaleString("en")} routes**`,
    "start to ready, s",
    "resident MB",
    "added MB",
  ];
  const lines = kinds.map((kind) => {
    const [seconds, megabytes] = [of(kind, "seconds"), of(kind, "megabytes")];
    if (kind === "none") return line(["none", short(seconds), short(megabytes), "–"]);
    const added = megabytes - of("none", "megabytes");
    const cells = [short(seconds) + judge(seconds, goals.seconds), short(megabytes)];
    return line([`routes ${kind}`, ...cells, short(added) + judge(added, goals.addedMegabytes)]);
  });
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}
