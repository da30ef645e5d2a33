/** How often can evidence be asked for: reports that are the same for all, and quotes that the hardware makes for one nonce? */
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { Client } from "undici";
import { provenHost } from "../tee-bot/attestation/support/proven-name.ts";
import { readCpuSeconds } from "./support/proc.ts";
import { line, median } from "./support/table.ts";

const goalPerSecond = 200;
/** As the simulator has it, after what is told of hardware. */
const quoteMs = 15;
const connections = 16;
const shownSeconds = 4;
const politeClients = 8;
const quotesOfEach = 25;
const path = "/v1/aci/attestation";

interface Shown {
  readonly perSecond: number;
  /** Of the node's process. */
  readonly cpuMs: number;
  readonly bytes: number;
}

interface Made {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

export interface EndpointSample {
  readonly shown: Shown;
  /** Eight clients, each with one question at a time. */
  readonly polite: Made;
  /** The same beside one client that asks for many at once. */
  readonly besideGreedy: Made;
}

interface Door {
  readonly pid: number;
  readonly port: number;
  readonly ca: string;
}

export async function measureEndpoint(repetitions: number, scale: number): Promise<EndpointSample[]> {
  const samples: EndpointSample[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    await using node = await startNode();
    const shown = await measureShown(node, shownSeconds * scale);
    const polite = await measureMade(node, Math.ceil(quotesOfEach * scale));
    await using _greedy = startGreedy(node);
    const besideGreedy = await measureMade(node, Math.ceil(quotesOfEach * scale));
    samples.push({ shown, polite, besideGreedy });
    console.error(
      `  evidence: ${Math.round(shown.perSecond)} reports/s; ${besideGreedy.p99Ms.toFixed(0)} ms for a quote`,
    );
  }
  return samples;
}

export function formatEndpoint(samples: readonly EndpointSample[]): string {
  const of = (value: (sample: EndpointSample) => number): number => median(samples.map(value));
  const rate = of(({ shown }) => shown.perSecond);
  const made = (which: "polite" | "besideGreedy"): string[] => [
    `${of((one) => one[which].p50Ms).toFixed(0)} / ${of((one) => one[which].p99Ms).toFixed(0)}`,
    of((one) => one[which].perSecond).toFixed(0),
  ];
  const verdict = `goal ${goalPerSecond}: ${rate >= goalPerSecond ? "met" : "missed"}`;
  const kilobytes = (of(({ shown }) => shown.bytes) / 1024).toFixed(0);
  return [
    line(["**evidence, hardware that takes 15 ms for a quote**", "p50 / p99 ms", "a second", "CPU ms"]),
    line(["---", "---", "---", "---"]),
    line([
      `ACI report without a nonce, ${kilobytes} KiB`,
      "–",
      `${Math.round(rate)} (${verdict})`,
      of(({ shown }) => shown.cpuMs).toFixed(2),
    ]),
    line([`a fresh nonce, ${politeClients} clients`, ...made("polite"), "–"]),
    line(["the same beside one that asks for many", ...made("besideGreedy"), "–"]),
  ].join("\n");
}

async function measureShown(door: Door, seconds: number): Promise<Shown> {
  const clients = Array.from({ length: connections }, () => clientOf(door));
  const { bytes } = await ask(clients[0]!, path);
  const until = performance.now() + 1000 * seconds;
  const [cpuBefore, before] = [readCpuSeconds(door.pid), performance.now()];
  const counts = await Promise.all(
    clients.map(async (client) => {
      let count = 0;
      for (; performance.now() < until; count++) expectStatus(await ask(client, path), 200);
      return count;
    }),
  );
  const requests = counts.reduce((sum, count) => sum + count, 0);
  const [cpu, took] = [readCpuSeconds(door.pid) - cpuBefore, performance.now() - before];
  await Promise.all(clients.map((client) => client.close()));
  return { perSecond: (1000 * requests) / took, cpuMs: (1000 * cpu) / requests, bytes };
}

async function measureMade(door: Door, each: number): Promise<Made> {
  const clients = Array.from({ length: politeClients }, () => clientOf(door));
  const times: number[] = [];
  const before = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      for (let asked = 0; asked < each; asked++) {
        const at = performance.now();
        expectStatus(await ask(client, `${path}?nonce=${randomBytes(32).toString("hex")}`), 200);
        times.push(performance.now() - at);
      }
    }),
  );
  const took = performance.now() - before;
  await Promise.all(clients.map((client) => client.close()));
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { p50Ms: at(0.5), p99Ms: at(0.99), perSecond: (1000 * times.length) / took };
}

/** One client that has as many questions under way as a connection takes, whatever is answered. */
function startGreedy(door: Door): AsyncDisposable {
  const client = clientOf(door, 16);
  const stop = new AbortController();
  const asking = Array.from({ length: 16 }, async () => {
    while (!stop.signal.aborted) await ask(client, `${path}?nonce=${randomBytes(32).toString("hex")}`);
  });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(asking);
      await client.close();
    },
  };
}

const clientOf = ({ port, ca }: Door, pipelining = 1): Client =>
  new Client(`https://127.0.0.1:${port}`, { pipelining, connect: { ca, servername: provenHost } });

async function ask(client: Client, target: string): Promise<{ status: number; bytes: number }> {
  const { statusCode, body } = await client.request({ method: "GET", path: target, headers: { host: provenHost } });
  return { status: statusCode, bytes: (await body.arrayBuffer()).byteLength };
}

function expectStatus({ status }: { status: number }, wanted: number): void {
  if (status !== wanted) throw new Error(`a request for evidence was answered with ${status}`);
}

async function startNode(): Promise<Door & AsyncDisposable> {
  const child = fork(join(import.meta.dirname, "support/evidence-process.ts"), [String(quoteMs)]);
  const [{ port, ca }] = (await once(child, "message", { signal: AbortSignal.timeout(30_000) })) as [Door];
  return {
    pid: child.pid!,
    port,
    ca,
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}
