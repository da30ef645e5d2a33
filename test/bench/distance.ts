/**
 * What share of a long line's rate does one visitor get? Relay and node are hosts of their own, with the kernel's own TCP
 * and a line of 100 ms and 200 Mbit/s between them; the visitor is near the relay. Beside it: a download from the
 * node's host over the same line, without Postern.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { whyNoNetwork } from "../support/namespaces.ts";
import { startNetworkWorld, type NetworkWorld } from "../support/network-world.ts";
import { transports } from "../../tee-bot/tunnel/transport.ts";
import { buildLine, startLine } from "./support/line.ts";
import { line, median } from "./support/table.ts";

const roundTripMs = 100;
const bitsPerSecond = 200e6;
const lineRate = bitsPerSecond / 8;
const queueBytes = (lineRate * roundTripMs) / 1000;
const mebibytes = 256;
const downloadMs = 120_000;
/** Least share of the line's rate, of which headers of packets take 0.035. */
const goal = 0.8;

/** A Markdown table, or why there is none. */
export async function measureDistance(directory: string, repetitions: number, scale: number): Promise<string> {
  const why = whyNoNetwork();
  if (why !== undefined) return `**distance** was not measured: ${why}`;
  const program = buildLine(directory);
  const path = `/bytes?mib=${Math.max(16, Math.ceil(mebibytes * scale))}`;
  const rates: Record<string, number[]> = { direct: [] };
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const transport of transports) {
      await using stack = new AsyncDisposableStack();
      const world = await startNetworkWorld({
        nodeEnvironment: { POSTERN_TUNNEL: transport },
        prepare: async (network) => {
          const hosts = ["relay-a", "node"] as const;
          stack.use(await startLine({ program, network, hosts, roundTripMs, bitsPerSecond, queueBytes }));
        },
      });
      stack.use(world);
      rates["direct"]?.push(await downloadDirectly(world, path));
      const { bytesPerSecond, error } = await world.visit("relay-a", path, downloadMs);
      if (error !== "") throw new Error(`The download over ${transport} failed: ${error}`);
      (rates[transport] ??= []).push(bytesPerSecond);
      console.error(`  distance: ${transport} ${(bytesPerSecond / lineRate).toFixed(2)} of the line`);
    }
  return format(rates);
}

async function downloadDirectly({ network, service }: NetworkWorld, path: string): Promise<number> {
  const { port } = new URL(service);
  network.publish("node", Number(port));
  const [program, ...prefix] = network.prefix("relay-a");
  const url = `http://${network.address("node")}:${port}${path}`;
  const options = { timeout: downloadMs, encoding: "utf8" as const };
  const curl = ["curl", "-sS", "-o", "/dev/null", "-w", "%{speed_download}", url];
  const { stdout } = await promisify(execFile)(program, [...prefix, ...curl], options);
  return Number(stdout);
}

function format(rates: Readonly<Record<string, readonly number[]>>): string {
  const direct = median(rates["direct"] ?? []);
  const head = [`**one visitor, ${roundTripMs} ms away**`, "MiB/s: median (min–max)", "÷ line's rate", "÷ direct"];
  const rows = Object.entries(rates).map(([way, ofWay]) => {
    const share = median(ofWay) / lineRate;
    const mebibytesPerSecond = [median(ofWay), Math.min(...ofWay), Math.max(...ofWay)].map((rate) =>
      (rate / 2 ** 20).toFixed(1),
    );
    const judged = way === "pool" ? ` (goal ${goal}: ${share >= goal ? "met" : "missed"})` : "";
    const [middle, least, most] = mebibytesPerSecond;
    return line([
      way,
      `${middle} (${least}–${most})`,
      `${share.toFixed(2)}${judged}`,
      (median(ofWay) / direct).toFixed(2),
    ]);
  });
  return [line(head), line(head.map(() => "---")), ...rows].join("\n");
}
