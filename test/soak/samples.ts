/** Memory and open files of every process, looked at while nobody visits. */
import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { readResidentBytes } from "../bench/support/proc.ts";
import type { Series } from "./slope.ts";
import type { SoakWorld } from "./world.ts";

export interface SampleLimits {
  readonly warmUpMs: number;
  readonly residentMibPerHour: number;
  readonly filesPerHour: number;
}

const mib = 1 << 20;
/** The least of so many looks counts: what a process is just about to give back is no growth. */
const looks = 4;
const lookMs = 1_000;

interface Lives {
  readonly label: string;
  readonly seenAt: number;
  readonly resident: { at: number; value: number }[];
  readonly files: { at: number; value: number }[];
}

export class Samples {
  readonly #limits: SampleLimits;
  /** By process id: one that was started again begins anew. */
  readonly #lives = new Map<number, Lives>();

  constructor(limits: SampleLimits) {
    this.#limits = limits;
  }

  /** Notes which processes there are: their warm-up begins when they are first seen. */
  meet({ members }: SoakWorld): void {
    for (const { label, pids } of members)
      for (const [at, pid] of pids.entries())
        if (!this.#lives.has(pid)) {
          const name = at === 0 ? label : `${label} child ${at}`;
          this.#lives.set(pid, { label: name, seenAt: performance.now(), resident: [], files: [] });
        }
  }

  /** Takes a few seconds. */
  async take(world: SoakWorld, signal: AbortSignal): Promise<void> {
    this.meet(world);
    const least = new Map<number, { resident: number; files: number }>();
    for (let look = 0; look < looks && !signal.aborted; look++) {
      for (const pid of world.members.flatMap(({ pids }) => pids)) {
        const seen = read(pid);
        const { resident, files } = least.get(pid) ?? { resident: Infinity, files: Infinity };
        if (seen) least.set(pid, { resident: Math.min(resident, seen.resident), files: Math.min(files, seen.files) });
      }
      await sleep(lookMs, undefined, { signal }).catch(() => {});
    }
    const at = performance.now();
    for (const [pid, { resident, files }] of least) {
      const life = this.#lives.get(pid);
      if (!life || at - life.seenAt < this.#limits.warmUpMs) continue;
      life.resident.push({ at, value: resident / mib });
      life.files.push({ at, value: files });
    }
  }

  /** What was seen of each process that lived beyond its warm-up. */
  get series(): Series[] {
    const { residentMibPerHour, filesPerHour } = this.#limits;
    return [...this.#lives].flatMap(([pid, { label, resident, files }]) => {
      if (resident.length === 0) return [];
      const name = `${label} (pid ${pid})`;
      return [
        { name: `${name} memory`, unit: "MiB", limitPerHour: residentMibPerHour, samples: resident },
        { name: `${name} files`, unit: "files", limitPerHour: filesPerHour, samples: files },
      ];
    });
  }
}

function read(pid: number): { resident: number; files: number } | undefined {
  try {
    return { resident: readResidentBytes(pid), files: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined; // ended meanwhile
  }
}
