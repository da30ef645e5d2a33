import { Buffer } from "node:buffer";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ClientHelloReader, parseClientHello, type ParsedClientHello } from "../../shared/tls/client-hello.ts";
import { readClientHellos } from "../vectors/client-hellos.ts";
import { mutate } from "./mutate.ts";
import { seededRandom, type Random } from "./random.ts";

export interface FuzzReport {
  seed: number;
  inputs: number;
  bytes: number;
  slowestMicros: number;
  /** Bytes of heap and buffers that one input left behind, on average over the last two thirds of the run. */
  bytesKeptPerInput: number;
  /** How often each answer was given: a fuzzer that only ever sees one learns nothing. */
  answers: Record<string, number>;
  failures: { why: string; input: string }[];
}

/** A whole parse of at most 128 KiB takes well below 10 ms; the rest is the scheduler and the collector. */
const slowMs = 250;
const maxFailures = 10;
const maxKeptBytesPerInput = 64;
const memoryNoiseBytes = 2 * 1024 * 1024; // compiled code and the report itself

/** Runs for `durationMs` of wall-clock time, and at least once through every vector. */
export function fuzzClientHello({ seed, durationMs }: { seed: number; durationMs: number }): FuzzReport {
  const random = seededRandom(seed);
  const corpus = readClientHellos().map(({ bytes }) => bytes);
  const report: FuzzReport = {
    seed,
    inputs: 0,
    bytes: 0,
    slowestMicros: 0,
    bytesKeptPerInput: 0,
    answers: {},
    failures: [],
  };
  let inputsThen = 0;
  let memoryThen = 0;
  const start = performance.now();
  while (performance.now() < start + durationMs && report.failures.length < maxFailures) {
    const origin = corpus[report.inputs % corpus.length] ?? Buffer.alloc(0);
    judge(mutate(origin, corpus, random), random, report);
    if (memoryThen === 0 && performance.now() > start + durationMs / 3) {
      memoryThen = memoryInUse(); // by now everything is compiled
      inputsThen = report.inputs;
    }
  }
  const kept = memoryInUse() - memoryThen;
  const inputs = Math.max(1, report.inputs - inputsThen);
  report.bytesKeptPerInput = Math.round(kept / inputs);
  if (kept > memoryNoiseBytes + maxKeptBytesPerInput * inputs)
    report.failures.push({ why: `keeps ${report.bytesKeptPerInput} bytes an input`, input: "" });
  return report;
}

function judge(input: Buffer, random: Random, report: FuzzReport): void {
  const fail = (why: string): void => {
    report.failures.push({ why, input: input.toString("base64") });
  };
  report.inputs++;
  report.bytes += input.length;
  try {
    const start = performance.now();
    const whole = parseClientHello(input);
    const tookMs = performance.now() - start;
    report.slowestMicros = Math.max(report.slowestMicros, Math.round(tookMs * 1000));
    if (tookMs > slowMs) fail(`took ${Math.round(tookMs)} ms`);

    const answer = whole.kind === "refused" ? whole.reason : whole.kind;
    report.answers[answer] = (report.answers[answer] ?? 0) + 1;
    const inPieces = readInPieces(input, random);
    if (JSON.stringify(inPieces) !== JSON.stringify(whole))
      fail(`answers ${JSON.stringify(whole)}, and in pieces ${JSON.stringify(inPieces)}`);
  } catch (error) {
    fail(`throws ${String(error)}`);
  }
}

function readInPieces(input: Uint8Array, random: Random): ParsedClientHello {
  const reader = new ClientHelloReader();
  const largest = random.pick([1, 4, 50, 1460]);
  let answer: ParsedClientHello = { kind: "incomplete" };
  for (let at = 0; at < input.length;) {
    const length = 1 + random.below(largest);
    answer = reader.push(input.subarray(at, at + length));
    at += length;
  }
  return answer;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function memoryInUse(): number {
  for (let round = 0; round < 3; round++) collectGarbage(); // buffers are freed beside the collector, by the next round
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
