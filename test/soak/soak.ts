/**
 * The course of a soak: visitors all the time, a fault every now and then, after each a look at every name, and from time
 * to time a rest in which memory and open files are read.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../fuzz/random.ts";
import { decideFaults, decideSpared, inflict, targetsOf } from "./faults.ts";
import { describeExchange } from "./judge.ts";
import { Load } from "./load/load.ts";
import { Notes } from "./notes.ts";
import type { SoakOptions } from "./options.ts";
import { Pace } from "./pace.ts";
import { waitForAll } from "./reach.ts";
import { Samples } from "./samples.ts";
import { startWorld, type SoakWorld } from "./world.ts";

export interface Course {
  readonly notes: Notes;
  readonly samples: Samples;
  readonly seconds: number;
  /** Of all cores. */
  readonly cpuShare: number;
}

export interface SoakEvents {
  /** Something worth a line. */
  readonly say: (words: string) => void;
  /** Once a minute. */
  readonly onMinute: (course: Course) => void;
}

/** After a fault, once every process runs again, until every name answers through every relay it is named at. */
const answerMs = 20_000;
/** And until it is given up. */
const giveUpMs = 60_000;
const restEveryMs = 90_000;
const minuteMs = 60_000;
/** For pools to shrink and sockets to close. */
const settleMs = 4_000;
const limits = { warmUpMs: 150_000, residentMibPerHour: 48, filesPerHour: 6 };

/** Rejects when the system does not come up, or a process does not come back. */
export async function runSoak(
  options: SoakOptions,
  directory: string,
  { say, onMinute }: SoakEvents,
  stop: AbortSignal,
): Promise<Course> {
  const notes = new Notes();
  const samples = new Samples(limits);
  const onIncident = (words: string): void => notes.note("incidents", words);
  await using world = await startWorld({ directory, workers: options.workers, onIncident });
  const missing = await waitForAll(world, giveUpMs, stop);
  if (missing.length > 0 && !stop.aborted) throw new Error(`The system did not come up: ${missing.join("; ")}`);

  const random = seededRandom(options.seed);
  const startedAt = performance.now();
  const endsAt = startedAt + options.minutes * minuteMs;
  using pace = new Pace({ maxShare: options.cpu, pids: () => world.members.flatMap(({ pids }) => pids) });
  const load = new Load({
    world,
    random: seededRandom(options.seed + 1), // of its own, or the faults would depend on how fast visitors come
    pace,
    maxVisitors: options.visitors,
    onExchange: (exchange) => notes.add(exchange),
  });
  const course = (): Course => ({
    notes,
    samples,
    seconds: (performance.now() - startedAt) / 1_000,
    cpuShare: pace.share,
  });
  const minutes = setInterval(() => onMinute(course()), minuteMs);
  const labels = world.members.map(({ label }) => label);
  const [minGapMs, maxGapMs] = options.everyMs;
  let restedAt = startedAt;
  let complained = 0;
  samples.meet(world);
  try {
    while (!stop.aborted && performance.now() < endsAt) {
      const gapMs = minGapMs + random.below(maxGapMs - minGapMs + 1);
      await sleep(Math.min(gapMs, endsAt - performance.now()), undefined, { signal: stop }).catch(() => {});
      if (stop.aborted || performance.now() >= endsAt) break;
      const spared = decideSpared(labels, (performance.now() - startedAt) / (endsAt - startedAt));
      const plans = decideFaults(random, targetsOf(world), { spared, cruel: options.cruel });
      const what = plans.map(({ kind, target }) => `${kind} ${target}`).join(" and ");
      say(what);
      const told: number = notes.disturbances.length;
      const tell = (one: Notes["disturbances"][number]): void => void notes.disturbances.push(one);
      await Promise.all(plans.map((plan) => inflict(plan, world, { tell, signal: stop })));
      await recover(what, world, notes, stop);
      for (const one of notes.disturbances.slice(told)) one.until ??= performance.now();
      for (const failure of notes.unexcused.slice(complained)) say(`  ${describeExchange(failure)}`);
      complained = notes.unexcused.length;
      samples.meet(world);
      if (performance.now() - restedAt < restEveryMs) continue;
      await rest(world, load, { notes, samples }, stop);
      restedAt = performance.now();
    }
    if (!stop.aborted) await rest(world, load, { notes, samples }, stop);
  } finally {
    clearInterval(minutes);
    await load.stop();
  }
  return course();
}

/** Waits until every name answers again; who takes too long is stuck. */
async function recover(what: string, world: SoakWorld, notes: Notes, stop: AbortSignal): Promise<void> {
  const from = performance.now();
  const stuck = await waitForAll(world, answerMs, stop);
  if (stop.aborted) return;
  for (const words of stuck) notes.note("stuck", `${answerMs / 1_000} s after ${what}: ${words}`);
  if (stuck.length === 0) return void notes.recoveries.push(performance.now() - from);
  const lost = await waitForAll(world, giveUpMs, stop);
  for (const words of lost) notes.note("stuck", `for good after ${what}: ${words}`);
}

/** Nobody visits: what processes hold now is theirs. */
async function rest(
  world: SoakWorld,
  load: Load,
  { notes, samples }: { notes: Notes; samples: Samples },
  stop: AbortSignal,
): Promise<void> {
  await load.pause();
  await sleep(settleMs, undefined, { signal: stop }).catch(() => {});
  await samples.take(world, stop);
  for (const { label, privatePort } of stop.aborted ? [] : world.relays) {
    const visitors = await leastVisitors(privatePort);
    if (visitors > 0) notes.note("lingering", `${label} has ${visitors} visitors when there are none`);
  }
  load.resume();
}

/** Of several looks: nodes and edge visit, too, now and then. */
async function leastVisitors(privatePort: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 5 && least > 0; look++) {
    const response = await fetch(`http://127.0.0.1:${privatePort}/healthz`, { signal: AbortSignal.timeout(2_000) });
    least = Math.min(least, ((await response.json()) as { visitors: number }).visitors);
    if (least > 0) await sleep(200);
  }
  return least;
}
