/** Draws what follows from an attempt: for the reply, for those after it, and for whoever runs the bot. */
import type { Clock } from "../../../shared/clock.ts";
import type { OutgoingReply } from "../mail/mailbox.ts";
import type { SentMessage } from "./answers.ts";
import type { Breaker } from "./breaker.ts";
import { decideDirectFailure, decideOutcome, groupFailures, type Outcome } from "./decide-outcome.ts";
import type { OperatorNotices } from "./operator-notices.ts";
import type { SendCounts } from "./send-counts.ts";
import { SignalFailure, type FailureKind } from "./signal-failure.ts";
import type { TroubleKind } from "./trouble.ts";

export interface ReplyJudgeOptions {
  breaker: Breaker;
  notices: OperatorNotices;
  counts: SendCounts;
  clock: Clock;
  random: () => number;
}

/** Of replies that failed; the oldest are forgotten beyond it. */
const maxRepeats = 10_000;

export class ReplyJudge {
  readonly #options: ReplyJudgeOptions;
  readonly #repeats = new Map<number, { kind: FailureKind; count: number }>();

  constructor(options: ReplyJudgeOptions) {
    this.#options = options;
  }

  /** The server says that it was sent. */
  judgeAnswer(reply: OutgoingReply, message: SentMessage): Outcome {
    const { breaker, notices, counts } = this.#options;
    const failure = reply.chat.kind === "direct" ? decideDirectFailure(message) : undefined;
    if (failure) return this.judgeFailure(reply, new SignalFailure(failure));
    breaker.sent();
    notices.over();
    this.#repeats.delete(reply.id);
    if (message.failures.length > 0) counts.partial++;
    if (groupFailures(message).includes("untrusted")) notices.tell("untrusted", reply.account);
    return { kind: "sent", timestamp: message.timestamp };
  }

  judgeFailure({ id, account, expiresAt }: OutgoingReply, { kind, challenge }: SignalFailure): Outcome {
    const { breaker, notices, counts, clock, random } = this.#options;
    if (kind === "unreachable") breaker.lost();
    else if (kind === "unknown" || kind === "too-large") breaker.messageLost();
    else if (kind === "rate-limited") breaker.rateLimited(challenge);
    else if (kind !== "dropped") breaker.answered();
    if (kind === "rate-limited") counts.rateLimited++;
    const trouble = troubleOf(kind, challenge !== undefined);
    if (trouble) notices.tell(trouble, account);
    const outcome = decideOutcome(kind, { repeats: this.#countRepeat(id, kind), now: clock.now(), expiresAt, random });
    if (outcome.kind === "over") this.#repeats.delete(id);
    return outcome;
  }

  /** Undefined: it may be sent still. */
  judgeAge({ id, expiresAt }: OutgoingReply): Outcome | undefined {
    if (expiresAt > this.#options.clock.now()) return undefined;
    const reason = this.#repeats.get(id)?.kind ?? "dropped";
    this.#repeats.delete(id);
    return { kind: "over", why: "age", reason };
  }

  /** Times that it failed in this way just before. */
  #countRepeat(id: number, kind: FailureKind): number {
    const known = this.#repeats.get(id);
    const count = known?.kind === kind ? known.count : 0;
    this.#repeats.delete(id);
    this.#repeats.set(id, { kind, count: count + 1 });
    if (this.#repeats.size > maxRepeats) this.#repeats.delete(this.#repeats.keys().next().value!);
    return count;
  }
}

function troubleOf(kind: FailureKind, hasChallenge: boolean): TroubleKind | undefined {
  if (kind === "rate-limited") return hasChallenge ? "challenge" : "rate-limited";
  if (kind === "unreachable" || kind === "misplaced" || kind === "untrusted" || kind === "network") return kind;
  return undefined;
}
