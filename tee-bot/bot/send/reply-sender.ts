/**
 * Sends the replies of the mailbox, one at a time, each chat's in their order. That a call is about to be made is stored
 * before it; so after a crash, as after a timeout, it is known of which replies nobody knows whether they went out.
 */
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { Mailbox, OutgoingReply } from "../mail/mailbox.ts";
import type { Breaker } from "./breaker.ts";
import type { Outcome } from "./decide-outcome.ts";
import type { OperatorNotices } from "./operator-notices.ts";
import { ReplyJudge } from "./reply-judge.ts";
import { sendBodyOf, type SendBody } from "./send-body.ts";
import type { SendCounts } from "./send-counts.ts";
import type { SignalApi } from "./signal-api.ts";
import { SignalFailure } from "./signal-failure.ts";
import type { TokenBucket } from "./token-bucket.ts";

export interface ReplySenderOptions {
  mailbox: Pick<Mailbox, "onNews" | "replies" | "plan" | "sending" | "sent" | "unsent" | "giveUp">;
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
const batchSize = 32;
/** Without news: for what is due after a delay. */
const idleMs = 1_000;
const storeFailedMs = 1_000;
/** For the call that is under way when the bot stops. */
const stopGraceMs = 5_000;

export class ReplySender {
  readonly #options: ReplySenderOptions;
  readonly #judge: ReplyJudge;
  /** Outcomes that the disk has not taken yet; nothing more is sent in their chats until it does. */
  #unstored: { readonly account: string; readonly write: () => void }[] = [];
  #wake = (): void => {};
  #isNews = false;

  constructor(options: ReplySenderOptions) {
    this.#options = options;
    this.#judge = new ReplyJudge({ random: Math.random, ...options });
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
      this.#storeOutcomes();
    }
  }

  /** Does what can be done now, or waits for a change. */
  async #step(stop: AbortSignal, abandon: AbortSignal): Promise<void> {
    const { breaker, mailbox } = this.#options;
    this.#storeOutcomes();
    const { permission } = breaker;
    if (typeof permission === "object") return this.#rest(Math.min(permission.waitMs, idleMs), stop);
    const replies = this.#takeReplies();
    if (!replies) return this.#rest(storeFailedMs, stop);
    const [first] = replies;
    if (permission === "probe" && (first || breaker.pause)) return this.#probe(first?.account, abandon);
    await this.#writeNotices(stop, abandon);
    if (!first) return this.#rest(idleMs, stop, { isWokenByNews: true });
    if (!this.#store(first.account, () => mailbox.plan(replies))) return this.#rest(storeFailedMs, stop);
    for (const reply of replies) {
      if (stop.aborted || breaker.permission !== "send") return void this.#store(first.account, () => mailbox.plan([]));
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
    const { mailbox, api } = this.#options;
    const tooOld = this.#judge.judgeAge(reply);
    if (tooOld) return this.#settle(reply, tooOld);
    let isStored = false;
    const onTurn = (): void => {
      if (!mailbox.sending(reply)) throw new TakenBack();
      isStored = true;
    };
    try {
      const message = await api.send(sendBodyOf(reply), { onTurn, signal: abandon });
      this.#settle(reply, this.#judge.judgeAnswer(reply, message));
    } catch (error) {
      if (error instanceof TakenBack) return;
      if (error instanceof SignalFailure) return this.#settle(reply, this.#judge.judgeFailure(reply, error));
      // A fault of ours after the call: what became of it is not known.
      if (isStored) return this.#settle(reply, { kind: "over", why: "undecidable", reason: "unknown" });
      this.#storeFailed(reply.account, error);
      await this.#rest(storeFailedMs, abandon);
    }
  }

  #settle(reply: OutgoingReply, outcome: Outcome): void {
    const { mailbox, counts, notices, log } = this.#options;
    if (outcome.kind === "again") {
      counts.retried++;
      const { reason, delayMs } = outcome;
      log.debug("reply.postponed", { reason, delayMs });
      return this.#storeOutcome(reply.account, () => mailbox.unsent(reply, { reason, delayMs }));
    }
    if (outcome.kind === "sent") {
      counts.sent++;
      log.debug("reply.sent", { attempts: reply.attempts + 1 });
      return this.#storeOutcome(reply.account, () => mailbox.sent(reply, outcome.timestamp));
    }
    const { why, reason } = outcome;
    if (why === "undecidable") counts.undecidable++;
    else if (why === "age") counts.expired++;
    else counts.refused++;
    if (why === "undecidable" || why === "refused") notices.tell(why, reply.account);
    log.warn("reply.given-up", { why, reason, attempts: reply.attempts + 1 });
    this.#storeOutcome(reply.account, () => mailbox.giveUp(reply, why, reason));
  }

  #storeOutcome(account: string, write: () => void): void {
    if (!this.#store(account, write)) this.#unstored.push({ account, write });
  }

  #storeOutcomes(): void {
    this.#unstored = this.#unstored.filter(({ account, write }) => !this.#store(account, write));
  }

  /** Whether it was stored. A reply whose outcome was not remains `sending` until it is: it is not sent again. */
  #store(account: string | undefined, write: () => void): boolean {
    try {
      write();
      return true;
    } catch (error) {
      this.#storeFailed(account, error);
      return false;
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
      const body: SendBody = { number: account, recipients: [person], message: text, text_mode: "normal" };
      await api.send(body, { signal: abandon }).then(
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

/** Something newer stands for the reply; nothing was called. */
class TakenBack extends Error {}
