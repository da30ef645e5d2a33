/**
 * What the Signal bot adds to a model's answer while 100 people talk to it: from the moment a person has written until the
 * answer is with Signal, less what the model took, over real processes (the stand-in for the REST server, the receiver, the
 * node). The stand-in's own time is in it; that of a bare bot behind the same stand-in, in the same minutes, shows how much.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { echo } from "../support/echo-model.ts";
import type { Phones, SeenMessage } from "../support/phones.ts";
import { startSignalWorld } from "../support/signal-world.ts";
import { startUpstream } from "../support/upstream/upstream.ts";
import { startBareBot } from "./support/bare-bot.ts";
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

interface Times {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export interface OverheadSample {
  readonly bot: Times;
  readonly bare: Times;
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
  await using bare = await startBareBot(upstream);
  for (const phones of [world.phones, bare.phones]) await talk(phones, warmUpSeconds);
  const samples: OverheadSample[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const cpu = (part: "node" | "receiver"): number => readCpuSeconds(world.pid(part)) * 1_000;
    const before = [cpu("node"), cpu("receiver")] as const;
    const bot = await measureOnce(world.phones, seconds * scale, modelTimes);
    const after = [cpu("node"), cpu("receiver")] as const;
    const messages = Math.ceil(seconds * scale * perSecond);
    samples.push({
      bot,
      bare: await measureOnce(bare.phones, seconds * scale, modelTimes),
      nodeCpuMs: (after[0] - before[0]) / messages,
      receiverCpuMs: (after[1] - before[1]) / messages,
    });
    console.error(
      `  signal: p95 ${bot.p95Ms.toFixed(1)} ms, of a bare bot ${samples.at(-1)!.bare.p95Ms.toFixed(1)} ms`,
    );
  }
  return samples;
}

async function measureOnce(phones: Phones, ofSeconds: number, modelTimes: ReadonlyMap<string, number>): Promise<Times> {
  const questions = await talk(phones, ofSeconds);
  const times = (await answerTimes(phones, questions, modelTimes)).toSorted((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? NaN;
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}

/** Everybody writes in turn, at times that are not the same; resolves to who has asked what. */
async function talk(phones: Phones, ofSeconds: number): Promise<readonly Question[]> {
  const questions: Question[] = [];
  const count = Math.ceil(ofSeconds * perSecond);
  const writing: Promise<unknown>[] = [];
  for (let number = 0; number < count; number++) {
    const person = people[number % people.length]!;
    const text = `Question ${++asked}`;
    writing.push(phones.write(person, text).then((timestamp) => questions.push({ person, text, timestamp })));
    await sleep((Math.random() * 2 * 1_000) / perSecond);
  }
  await Promise.all(writing);
  return questions;
}

/** Of each question, without the model's; throws when one has no answer in time. */
async function answerTimes(
  phones: Phones,
  questions: readonly Question[],
  modelTimes: ReadonlyMap<string, number>,
): Promise<number[]> {
  const deadline = Date.now() + settleMs;
  for (;;) {
    const seen = new Map<string, readonly SeenMessage[]>();
    for (const person of people) seen.set(person, await phones.conversation(person));
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
  const own = median(samples.map(({ bot, bare }) => bot.p95Ms - bare.p95Ms));
  const ms = (of: (sample: OverheadSample) => number): string => `${median(samples.map(of)).toFixed(1)} ms`;
  const row = (name: string, way: "bot" | "bare", cpu: readonly string[]): string =>
    line([
      name,
      ms((sample) => sample[way].p50Ms),
      ms((sample) => sample[way].p95Ms),
      ms((sample) => sample[way].p99Ms),
      ...cpu,
      samples.map((sample) => sample[way].p95Ms.toFixed(1)).join(", "),
    ]);
  const head = [
    "less the model's time",
    "p50",
    "p95",
    "p99",
    "CPU of a message: node",
    "receiver",
    "p95 of each round",
  ];
  return [
    `The Signal bot, ${people.length} people, ${perSecond} messages a second: p95 ${own.toFixed(1)} ms more than a bare bot` +
      ` (goal: ${goalP95Ms} ms, ${own <= goalP95Ms ? "met" : "missed"})`,
    "",
    line(head),
    line(head.map(() => "---")),
    row("Postern", "bot", [ms(({ nodeCpuMs }) => nodeCpuMs), ms(({ receiverCpuMs }) => receiverCpuMs)]),
    row("a bare bot", "bare", ["", ""]),
  ].join("\n");
}
