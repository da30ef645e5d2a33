/** Paths in the order in which they are to be looked at: those in doubt first, each set in the order it was put. */
import type { NodeId } from "../../shared/registry/node-id.ts";

export interface ProbeTask {
  readonly name: string;
  /** Through which relay. */
  readonly relay: NodeId;
  readonly dueAt: number;
}

export class ProbeQueue {
  /** Each is put in with about the same wait, so the first is about the first due: no sorting. */
  readonly #regular = new Map<string, ProbeTask>();
  readonly #doubtful = new Map<string, ProbeTask>();

  get size(): number {
    return this.#regular.size + this.#doubtful.size;
  }

  has(task: Pick<ProbeTask, "name" | "relay">): boolean {
    const key = pathKey(task);
    return this.#regular.has(key) || this.#doubtful.has(key);
  }

  put(task: ProbeTask, { doubtful }: { doubtful: boolean }): void {
    const key = pathKey(task);
    const [into, other] = doubtful ? [this.#doubtful, this.#regular] : [this.#regular, this.#doubtful];
    other.delete(key);
    into.delete(key); // to the end
    into.set(key, task);
  }

  /** The next one that is due, taken out. */
  take(now: number): ProbeTask | undefined {
    for (const tasks of [this.#doubtful, this.#regular]) {
      const [first] = tasks.values();
      if (!first || first.dueAt > now) continue;
      tasks.delete(pathKey(first));
      return first;
    }
    return undefined;
  }

  nextDue(): number {
    const [doubtful] = this.#doubtful.values();
    const [regular] = this.#regular.values();
    return Math.min(doubtful?.dueAt ?? Infinity, regular?.dueAt ?? Infinity);
  }
}

export function pathKey({ name, relay }: Pick<ProbeTask, "name" | "relay">): string {
  return `${relay} ${name}`;
}
