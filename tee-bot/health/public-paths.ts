/** How visitors fare on the way to this node, as relays have found from outside and the edge has told. */
import type { Registration } from "../../shared/registry/messages.ts";
import type { StepReport } from "./health.ts";

/** The edge tells with every lease, and forgets what relays have not confirmed for twelve minutes. */
const staleMs = 15 * 60_000;
/** Relays come and go; their names are wanted for a while after. */
const maxNames = 64;

export interface PublicPath {
  /** The relay's name, or the begin of its key. */
  readonly relay: string;
  readonly state: "up" | "down";
  readonly detail?: string | undefined;
  readonly checkedAt: number;
}

export class PublicPaths {
  readonly #names = new Map<string, string>();
  #paths: Registration["paths"] = [];

  /** Whether something else is known than before. */
  follow({ relays, paths }: Registration): boolean {
    for (const { relay, name } of relays) {
      this.#names.delete(relay);
      this.#names.set(relay, name);
    }
    for (const relay of this.#names.keys()) if (this.#names.size > maxNames) this.#names.delete(relay);
    const before = summary(this.#paths);
    this.#paths = paths;
    return summary(paths) !== before;
  }

  at(now: number): PublicPath[] {
    return this.#paths
      .filter(({ checkedAt }) => now - checkedAt < staleMs)
      .map(({ relay, state, detail, checkedAt }) => ({
        relay: this.#names.get(relay) ?? `${relay.slice(0, 8)}…`,
        state,
        detail,
        checkedAt,
      }));
  }
}

/** Visitors get through on none of the ways that were looked at. */
export function areCutOff(paths: readonly PublicPath[]): boolean {
  return paths.length > 0 && paths.every(({ state }) => state === "down");
}

export function reportPaths(paths: readonly PublicPath[]): StepReport {
  const down = paths.filter(({ state }) => state === "down");
  return { step: "paths", ok: down.length === 0, detail: describe(paths, down) };
}

function describe(paths: readonly PublicPath[], down: readonly PublicPath[]): string {
  if (paths.length === 0) return "No relay has looked from outside yet.";
  if (down.length === 0) return `Visitors get through: ${paths.length} of ${paths.length} ways, seen from outside.`;
  const reasons = down.map(({ relay, detail = "nothing answers" }) => `through ${relay}, ${detail}`).join("; ");
  if (down.length === paths.length) return `Visitors do not get through: ${reasons}.`;
  return `Visitors get through ${paths.length - down.length} of ${paths.length} ways: not ${reasons}.`;
}

function summary(paths: Registration["paths"]): string {
  return paths.map(({ relay, state, detail }) => `${relay} ${state} ${detail}`).join();
}
