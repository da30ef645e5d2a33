/**
 * Tells whoever runs the bot what is wrong with sending: in the log, in the status, and by a message of Signal to each
 * operator, as soon as messages go out again. At most once an hour for each kind of trouble.
 */
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { passingTroubles, troubles, type TroubleKind } from "./trouble.ts";

export interface Trouble {
  readonly kind: TroubleKind;
  /** When it was first seen since it was last over. */
  readonly since: number;
  readonly lastAt: number;
  readonly count: number;
  /** What is wrong, and what to do. */
  readonly text: string;
}

/** A text for one operator, by an account of ours. */
export interface Notice {
  readonly account: string;
  readonly person: string;
  readonly text: string;
}

export interface OperatorNoticesOptions {
  /** Their uuids. */
  operators: readonly string[];
  clock: Clock;
  log: Log;
}

const quietMs = 60 * 60_000;
/** What is over so soon, such as a restart, is nothing to write to people about. */
const shortestMs = 60_000;
const shownMs = 24 * 60 * 60_000;

export class OperatorNotices {
  readonly #options: OperatorNoticesOptions;
  readonly #troubles = new Map<TroubleKind, Trouble>();
  readonly #loggedAt = new Map<TroubleKind, number>();
  readonly #writtenAt = new Map<TroubleKind, number>();
  readonly #unwritten = new Map<TroubleKind, { account: string; at: number }>();

  constructor(options: OperatorNoticesOptions) {
    this.#options = options;
  }

  /** `account`: by which operators can be written to; undefined: only the log and the status tell. */
  tell(kind: TroubleKind, account: string | undefined): void {
    const now = this.#options.clock.now();
    const known = this.#troubles.get(kind);
    const since = known?.since ?? now;
    this.#troubles.set(kind, { kind, since, lastAt: now, count: (known?.count ?? 0) + 1, text: troubles[kind] });
    if (isDue(this.#loggedAt.get(kind), now)) {
      this.#loggedAt.set(kind, now);
      this.#options.log.warn("signal.trouble-noticed", { trouble: kind, why: troubles[kind] });
    }
    const isLasting = !passingTroubles.includes(kind) || now - since >= shortestMs;
    if (
      isLasting &&
      account !== undefined &&
      this.#options.operators.length > 0 &&
      isDue(this.#writtenAt.get(kind), now)
    )
      this.#unwritten.set(kind, { account, at: since });
  }

  /** By default: messages go out. */
  over(kinds: readonly TroubleKind[] = passingTroubles): void {
    for (const kind of kinds) this.#troubles.delete(kind);
  }

  /** Newest last; events of their own for a day. */
  get troubles(): Trouble[] {
    const now = this.#options.clock.now();
    return [...this.#troubles.values()].filter(({ lastAt }) => now - lastAt < shownMs);
  }

  /** What to write to operators now. Given out once, whatever becomes of it: a notice is not worth a second message. */
  takeUnwritten(): Notice[] {
    const { clock, operators } = this.#options;
    const due = [...this.#unwritten];
    this.#unwritten.clear();
    for (const [kind] of due) this.#writtenAt.set(kind, clock.now());
    return due.flatMap(([kind, { account, at }]) =>
      operators.map((person) => ({ account, person, text: `Since ${timeOf(at)}: ${troubles[kind]}` })),
    );
  }
}

function isDue(lastAt: number | undefined, now: number): boolean {
  return lastAt === undefined || now - lastAt >= quietMs;
}

/** `2026-11-21 20:30 UTC`. */
function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
