/** What is done to the system in a soak: which fault comes next, and doing it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../fuzz/random.ts";
import type { Disturbance } from "./exchange.ts";
import { drainMs, type SoakWorld } from "./world.ts";

export type FaultKind = "kill" | "drain" | "freeze" | "reset";

export interface FaultPlan {
  readonly kind: FaultKind;
  /** Label of the process. */
  readonly target: string;
  /** Until a process that ended is started again. */
  readonly pauseMs: number;
}

export interface Targets {
  readonly edge: string;
  readonly relays: readonly string[];
  readonly nodes: readonly string[];
  /** Relays with a box on the way to them. */
  readonly boxed: readonly string[];
}

const freezeMs = 5_000;
const maxPauseMs = 5_000;
/** A drain may take so much longer than its limit until the process has ended. */
const drainGraceMs = 5_000;
/** Visitors that are cut off at the end of a drain see it so long before the process is seen to have ended. */
const cutMs = 1_500;

/**
 * The next fault, or with `cruel` sometimes two relays' at once. Those that are spared are not ended, so that they live
 * long enough for their memory to tell something.
 */
export function decideFaults(
  random: Random,
  targets: Targets,
  { spared, cruel }: { spared: ReadonlySet<string>; cruel: boolean },
): FaultPlan[] {
  const { edge, relays, nodes, boxed } = targets;
  const ends = (labels: readonly string[]): string[] => labels.filter((label) => !spared.has(label));
  const possible: { kind: FaultKind; of: readonly string[]; share: number }[] = [
    { kind: "kill", of: ends(relays), share: 4 },
    { kind: "kill", of: ends(nodes), share: 4 },
    { kind: "kill", of: ends([edge]), share: 2 },
    { kind: "drain", of: ends(relays), share: 4 },
    { kind: "freeze", of: relays, share: 2 },
    { kind: "freeze", of: nodes, share: 2 },
    { kind: "freeze", of: [edge], share: 1 },
    { kind: "reset", of: boxed, share: 2 },
  ];
  const bag = possible.filter(({ of }) => of.length > 0).flatMap((one) => Array.from({ length: one.share }, () => one));
  const { kind, of } = random.pick(bag);
  const first = { kind, target: random.pick(of), pauseMs: random.below(maxPauseMs) };
  const others = relays.filter((label) => label !== first.target && !spared.has(label));
  if (!cruel || !relays.includes(first.target) || others.length === 0 || random.below(3) > 0) return [first];
  return [first, { kind: "kill", target: random.pick(others), pauseMs: random.below(maxPauseMs) }];
}

/** The half of the processes that is not ended now; the other half's turn comes at half-time. */
export function decideSpared(labels: readonly string[], share: number): Set<string> {
  const now = share < 0.5 ? 0 : 1;
  return new Set(labels.filter((_, at) => at % 2 === now));
}

export function targetsOf({ edge, relays, nodes }: SoakWorld): Targets {
  return {
    edge: edge.label,
    relays: relays.map(({ label }) => label),
    nodes: nodes.map(({ label }) => label),
    boxed: relays.flatMap(({ label, box }) => (box ? [label] : [])),
  };
}

/**
 * Does it, and resolves once every process runs again, with what it may cost visitors. The disturbance is told as soon
 * as it begins, and lasts until the caller ends it.
 */
export async function inflict(
  { kind, target, pauseMs }: FaultPlan,
  { relays, nodes, members }: SoakWorld,
  { tell, signal }: { tell: (disturbance: Disturbance) => void; signal: AbortSignal },
): Promise<void> {
  const member = members.find(({ label }) => label === target);
  const relay = relays.find(({ label }) => label === target);
  if (!member) throw new Error(`there is no ${target}`);
  const whose = {
    what: `${kind} ${target}`,
    relays: relay ? [target] : [],
    nodes: nodes.flatMap(({ label }) => (label === target ? [label] : [])),
  };
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => {});
  const from = performance.now();
  switch (kind) {
    case "kill":
      tell({ ...whose, from, until: undefined, endsCleanly: true });
      await member.end("SIGKILL");
      await pause(pauseMs);
      return void (signal.aborted || (await member.start()));
    case "drain": {
      if (!(await member.end("SIGTERM", drainMs + drainGraceMs))) throw new Error(`${target} did not drain in time`);
      // Only those who stayed to the limit may have lost something.
      const until = performance.now();
      if (until - from >= drainMs) tell({ ...whose, from: until - cutMs, until, endsCleanly: false });
      await pause(pauseMs);
      // Who comes to it by a DNS answer of before: it knows no tunnel and no other relay yet.
      tell({ ...whose, from: performance.now(), until: undefined, endsCleanly: false });
      return void (signal.aborted || (await member.start()));
    }
    case "freeze":
      tell({ ...whose, from, until: undefined, endsCleanly: false });
      member.freeze();
      await pause(freezeMs);
      return member.thaw();
    case "reset":
      tell({ ...whose, from, until: undefined, endsCleanly: false });
      relay?.box?.resetAll();
  }
}
