/**
 * What the Signal bot adds to a model's answer while 100 people talk to it: from the moment a person has written until the
 * answer is with Signal, less what the model took, over real processes (the stand-in for the REST server, the receiver, the
 * node). The stand-in's own time is in it, so it is more than the bot's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { echo } from "../support/echo-model.ts";
import { startSignalWorld, type SeenMessage, type SignalWorld } from "../support/signal-world.ts";
import { startUpstream } from "../support/upstream/upstream.ts";
import { readCpuSeconds } from "./support/proc.ts";
import { line, median } from "./support/table.ts";

const goalP95Ms = 20;
/** Of an answer; typing and receipts have their time meanwhile, as with any real model. */
const modelMs = 400;
const people = Array.from({ length: 100 }, (_, index) => `person-${index}`);
const perSecond = 25;
const seconds = 20;
const warmUpSeconds = 4;
const settleMs = 30_000;

export interface OverheadSample {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly messages: number;
  /** CPU of a message, in milliseconds. */
  readonly nodeCpuMs: number;
  readonly receiverCpuMs: number;
}

interface Question {
  readonly person: string;
  readonly text: string;
  readonly timestamp: number;
}

/** Each question has another text. */
let asked = 0;

export async function measureOverhead(repetitions: number, scale: number): Promise<OverheadSample[]> {
  const modelTimes = new Map<string, number>();
  const behaviour = echo({ shortestMs: modelMs, onAnswer: (question, ms) => modelTimes.set(question, ms) });
  await using upstream = await startUpstream({ models: ["echo"], behaviour });
  const limits = { perMinute: 100_000, perDay: 100_000, sendsPerSecond: 1_000, sendBurst: 1_000 };
  await using world = await startSignalWorld({ upstream, signal: { limits } });
  await talk(world, warmUpSeconds);
  const samples: OverheadSample[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const sample = await measureOnce(world, seconds * scale, modelTimes);
    samples.push(sample);
    console.error(`  signal: p50 ${sample.p50Ms.toFixed(1)} ms, p95 ${sample.p95Ms.toFixed(1)} ms`);
  }
  return samples;
}

async function measureOnce(
  world: SignalWorld,
  ofSeconds: number,
  modelTimes: ReadonlyMap<string, number>,
): Promise<OverheadSample> {
  const cpu = (): readonly [node: number, receiver: number] => [
    readCpuSeconds(world.pid("node")),
    readCpuSeconds(world.pid("receiver")),
  ];
  const before = cpu();
  const questions = await talk(world, ofSeconds);
  const times = (await answerTimes(world, questions, modelTimes)).toSorted((a, b) => a - b);
  const after = cpu();
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? NaN;
  const cpuMs = (index: 0 | 1): number => ((after[index] - before[index]) * 1_000) / times.length;
  return {
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    messages: times.length,
    nodeCpuMs: cpuMs(0),
    receiverCpuMs: cpuMs(1),
  };
}

/** Everybody writes in turn, at times that are not the same; resolves to who has asked what. */
async function talk(world: SignalWorld, ofSeconds: number): Promise<readonly Question[]> {
  const questions: Question[] = [];
  const count = Math.ceil(ofSeconds * perSecond);
  const writing: Promise<unknown>[] = [];
  for (let number = 0; number < count; number++) {
    const person = people[number % people.length]!;
    const text = `Question ${++asked}`;
    writing.push(world.write(person, text).then((timestamp) => questions.push({ person, text, timestamp })));
    await sleep((Math.random() * 2 * 1_000) / perSecond);
  }
  await Promise.all(writing);
  return questions;
}

/** Of each question, without the model's; throws when one has no answer in time. */
async function answerTimes(
  world: SignalWorld,
  questions: readonly Question[],
  modelTimes: ReadonlyMap<string, number>,
): Promise<number[]> {
  const deadline = Date.now() + settleMs;
  for (;;) {
    const seen = new Map<string, readonly SeenMessage[]>();
    for (const person of people) seen.set(person, await world.conversation(person));
    const times = questions.flatMap(({ person, text, timestamp }) => {
      const answer = seen.get(person)?.find(({ from, quote }) => from === "bot" && quote?.timestamp === timestamp);
      return answer ? [answer.timestamp - timestamp - (modelTimes.get(text) ?? NaN)] : [];
    });
    if (times.length === questions.length) return times;
    if (Date.now() > deadline) throw new Error(`${questions.length - times.length} questions have no answer`);
    await sleep(500);
  }
}

export function formatOverhead(samples: readonly OverheadSample[]): string {
  const of = (what: keyof OverheadSample): number => median(samples.map((sample) => sample[what]));
  const p95 = of("p95Ms");
  const isMet = p95 <= goalP95Ms;
  return [
    `The Signal bot, ${people.length} people, ${perSecond} messages a second; goal: p95 ≤ ${goalP95Ms} ms (${isMet ? "met" : "missed"})`,
    "",
    line(["from written to answered", "p50", "p95", "p99", "CPU of a message: node", "receiver", "p95 of each round"]),
    line(Array.from({ length: 7 }, () => "---")),
    line([
      `less the ${modelMs} ms of the model`,
      ...[of("p50Ms"), p95, of("p99Ms"), of("nodeCpuMs"), of("receiverCpuMs")].map((ms) => `${ms.toFixed(1)} ms`),
      samples.map((sample) => sample.p95Ms.toFixed(1)).join(", "),
    ]),
  ].join("\n");
}
