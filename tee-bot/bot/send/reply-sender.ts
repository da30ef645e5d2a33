/**
 * Sends the replies of the mailbox, one at a time, each chat's in their order. That a call is about to be made is stored
 * before it; so after a crash, as after a timeout, it is known of which replies nobody knows whether they went out.
 */
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { Sensitive } from "../../../shared/sensitive.ts";
import type { Mailbox, OutgoingReply } from "../mail/mailbox.ts";
import type { SentMessage } from "./answers.ts";
import type { Breaker } from "./breaker.ts";
import { decideDirectFailure, decideOutcome, groupFailures, type Outcome } from "./decide-outcome.ts";
import type { OperatorNotices } from "./operator-notices.ts";
import { sendBodyOf } from "./send-body.ts";
import type { SendCounts } from "./send-counts.ts";
import type { SignalApi } from "./signal-api.ts";
import { SignalFailure, type FailureKind } from "./signal-failure.ts";
import type { TokenBucket } from "./token-bucket.ts";
import type { TroubleKind } from "./trouble.ts";

export interface ReplySenderOptions {
  mailbox: Pick<Mailbox, "onNews" | "replies" | "sending" | "sent" | "unsent" | "giveUp">;
  api: Pick<SignalApi, "send" | "accounts">;
  bucket: TokenBucket;
  breaker: Breaker;
  notices: OperatorNotices;
  counts: SendCounts;
  clock: Clock;
  log: Log;
  random?: () => number;
}

/** Taken from the mailbox at once: others of it may be more urgent by the time these are sent. */
const batchSize = 16;
/** Without news: for what is due after a delay. */
const idleMs = 1_000;
const storeFailedMs = 1_000;
/** For the call that is under way when the bot stops. */
const stopGraceMs = 5_000;
/** Of chats whose reply failed; the oldest are forgotten beyond it. */
const maxRepeats = 10_000;

export class ReplySender {
  readonly #options: ReplySenderOptions;
  readonly #repeats = new Map<number, { kind: FailureKind; count: number }>();
  readonly #random: () => number;
  #wake = (): void => {};
  #isNews = false;

  constructor(options: ReplySenderOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    options.mailbox.onNews(() => {
      this.#isNews = true;
      this.#wake();
    });
  }

  /** Until `stop`; then the call under way has a few seconds to end. Call it once. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const abandon = new AbortController();
    const onStop = (): void =>
      void clock.sleep(stopGraceMs, abandon.signal).then(
        () => abandon.abort(),
        () => {},
      );
    stop.addEventListener("abort", onStop, { once: true });
    try {
      while (!stop.aborted) await this.#step(stop, abandon.signal);
    } finally {
      stop.removeEventListener("abort", onStop);
      abandon.abort();
    }
  }

  /** Does what can be done now, or waits for a change. */
  async #step(stop: AbortSignal, abandon: AbortSignal): Promise<void> {
    const { permission } = this.#options.breaker;
    if (typeof permission === "object") return this.#rest(Math.min(permission.waitMs, idleMs), stop);
    const replies = this.#takeReplies();
    if (!replies) return this.#rest(storeFailedMs, stop);
    const [first] = replies;
    if (permission === "probe") return this.#probe(first?.account, abandon);
    await this.#writeNotices(stop, abandon);
    if (!first) return this.#rest(idleMs, stop, { isWokenByNews: true });
    for (const reply of replies) {
      if (stop.aborted || this.#options.breaker.permission !== "send") return;
      if (await this.#waitForToken(stop)) await this.#send(reply, abandon);
    }
  }

  #takeReplies(): OutgoingReply[] | undefined {
    this.#isNews = false;
    let replies: OutgoingReply[] | undefined;
    this.#store(undefined, () => void (replies = this.#options.mailbox.replies(batchSize)));
    return replies;
  }

  /** False: it is time to stop. */
  async #waitForToken(stop: AbortSignal): Promise<boolean> {
    for (;;) {
      const turn = this.#options.bucket.take();
      if (turn.isTaken) return true;
      await this.#rest(turn.waitMs, stop);
      if (stop.aborted) return false;
    }
  }

  async #send(reply: OutgoingReply, abandon: AbortSignal): Promise<void> {
    const { mailbox, api, clock } = this.#options;
    if (reply.expiresAt <= clock.now()) {
      const reason = this.#repeats.get(reply.id)?.kind ?? "dropped";
      return this.#settle(reply, { kind: "over", why: "age", reason });
    }
    let isStored = false;
    const onTurn = (): void => {
      mailbox.sending(reply);
      isStored = true;
    };
    try {
      const message = await api.send(sendBodyOf(reply), { onTurn, signal: abandon });
      this.#settle(reply, this.#judge(reply, message));
    } catch (error) {
      if (error instanceof SignalFailure) return this.#settle(reply, this.#judgeFailure(reply, error));
      // A fault of ours after the call: what became of it is not known.
      if (isStored) return this.#settle(reply, { kind: "over", why: "undecidable", reason: "unknown" });
      this.#storeFailed(reply.account, error);
      await this.#rest(storeFailedMs, abandon);
    }
  }

  #judge(reply: OutgoingReply, message: SentMessage): Outcome {
    const { breaker, notices, counts } = this.#options;
    const failure = reply.chat.kind === "direct" ? decideDirectFailure(message) : undefined;
    if (failure) return this.#judgeFailure(reply, new SignalFailure(failure));
    breaker.sent();
    notices.over();
    if (message.failures.length > 0) counts.partial++;
    for (const kind of groupFailures(message)) if (kind === "untrusted") notices.tell(kind, reply.account);
    return { kind: "sent", timestamp: message.timestamp };
  }

  #judgeFailure({ id, account, expiresAt }: OutgoingReply, { kind, challenge }: SignalFailure): Outcome {
    const { breaker, notices, counts, clock } = this.#options;
    if (kind === "unreachable") breaker.lost();
    else if (kind === "unknown" || kind === "too-large") breaker.messageLost();
    else if (kind === "rate-limited") breaker.rateLimited(challenge);
    else if (kind !== "dropped") breaker.answered();
    if (kind === "rate-limited") counts.rateLimited++;
    const trouble = troubleOf(kind, challenge !== undefined);
    if (trouble) notices.tell(trouble, account);
    const repeats = this.#countRepeat(id, kind);
    return decideOutcome(kind, { repeats, now: clock.now(), expiresAt, random: this.#random });
  }

  #countRepeat(id: number, kind: FailureKind): number {
    const known = this.#repeats.get(id);
    const count = known?.kind === kind ? known.count : 0;
    this.#repeats.delete(id);
    this.#repeats.set(id, { kind, count: count + 1 });
    if (this.#repeats.size > maxRepeats) this.#repeats.delete(this.#repeats.keys().next().value!);
    return count;
  }

  #settle(reply: OutgoingReply, outcome: Outcome): void {
    const { mailbox, counts, notices, log } = this.#options;
    if (outcome.kind === "again") {
      counts.retried++;
      const { reason, delayMs } = outcome;
      log.debug("reply.postponed", { reason, delayMs });
      return this.#store(reply.account, () => mailbox.unsent(reply, { reason, delayMs }));
    }
    this.#repeats.delete(reply.id);
    if (outcome.kind === "sent") {
      counts.sent++;
      log.debug("reply.sent", { attempts: reply.attempts + 1 });
      return this.#store(reply.account, () => mailbox.sent(reply, outcome.timestamp));
    }
    const { why, reason } = outcome;
    if (why === "undecidable") counts.undecidable++;
    else if (why === "age") counts.expired++;
    else counts.refused++;
    if (why === "undecidable" || why === "refused") notices.tell(why, reply.account);
    log.warn("reply.given-up", { why, reason, attempts: reply.attempts + 1 });
    this.#store(reply.account, () => mailbox.giveUp(reply, why, reason));
  }

  /** A reply whose outcome cannot be stored remains `sending`: it is not sent again. */
  #store(account: string | undefined, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#storeFailed(account, error);
    }
  }

  #storeFailed(account: string | undefined, error: unknown): void {
    this.#options.notices.tell("store", account);
    this.#options.log.error("reply.store-failed", { error: errorText(error) });
  }

  /** Asks something harmless. An account that signal-cli has not loaded yet cannot send either. */
  async #probe(account: string | undefined, abandon: AbortSignal): Promise<void> {
    const { api, breaker, notices } = this.#options;
    try {
      const accounts = await api.accounts({ signal: abandon });
      notices.over(["unreachable"]);
      if (account === undefined || accounts.includes(account)) return breaker.found();
      notices.tell("account-absent", account);
    } catch {
      notices.tell("unreachable", account);
    }
    breaker.lost();
  }

  async #writeNotices(stop: AbortSignal, abandon: AbortSignal): Promise<void> {
    const { api, notices, counts, log } = this.#options;
    for (const { account, person, text } of notices.takeUnwritten()) {
      if (!(await this.#waitForToken(stop))) return;
      const chat = { kind: "direct", person } as const;
      const reply = { account, chat, styled: new Sensitive(text), plain: new Sensitive(text) };
      const body = { ...sendBodyOf({ ...reply, quote: undefined, attachment: undefined, edits: undefined }) };
      await api.send({ ...body, text_mode: "normal" }, { signal: abandon }).then(
        () => counts.noticesSent++,
        (error: unknown) => log.warn("notice.failed", { error: errorText(error) }),
      );
    }
  }

  /** Ends early by `stop`, and where wished by news. */
  async #rest(ms: number, stop: AbortSignal, { isWokenByNews = false } = {}): Promise<void> {
    if (isWokenByNews && this.#isNews) return;
    const news = new AbortController();
    if (isWokenByNews) this.#wake = () => news.abort();
    await this.#options.clock.sleep(ms, AbortSignal.any([stop, news.signal])).catch(() => {}); // it ended early
    this.#wake = () => {};
  }
}

function troubleOf(kind: FailureKind, hasChallenge: boolean): TroubleKind | undefined {
  if (kind === "rate-limited") return hasChallenge ? "challenge" : "rate-limited";
  if (kind === "unreachable" || kind === "misplaced" || kind === "untrusted" || kind === "network") return kind;
  return undefined;
}
