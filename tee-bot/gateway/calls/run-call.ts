/** One call from its route to its answer: attempts at providers until one answers, or none is left. */
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { ApiError } from "../api/api-error.ts";
import type { Call } from "../api/call.ts";
import type { AnswerObserver } from "../providers/provider.ts";
import type { ReceiptDraft } from "../receipts/receipt-draft.ts";
import type { Candidate, Permit, Route } from "../routing/route.ts";
import type { GatewaySettings } from "../settings.ts";
import type { Tokens, Track, TrackEnd } from "../tracking/track.ts";
import { addPassedHeaders, headerText } from "./answers/answer-headers.ts";
import { describeNext, describeOutcome } from "./attempts/attempt-words.ts";
import { runAttempt, type AttemptEnd } from "./attempts/attempt.ts";
import type { CallTiming } from "./call-timing.ts";
import type { ClientAnswer } from "./answers/client-answer.ts";
import { decideNext, type Next } from "./decide-next.ts";
import { proveAnswer } from "./prove-answer.ts";
import { finalError } from "./answers/final-error.ts";
import type { Failure, HeldAnswer, UpstreamHeaders } from "./attempts/outcome.ts";
import { tellPermit } from "./attempts/tell-permit.ts";
import { timeoutsFor } from "./attempts/timeouts.ts";
import { judgeFailure, type Trouble } from "./attempts/trouble.ts";
import { upstreamRequest, type UpstreamRequest } from "./attempts/upstream-request.ts";

export interface CallRunOptions {
  readonly call: Call;
  readonly route: Route;
  readonly whole: boolean;
  readonly settings: GatewaySettings;
  readonly client: ClientAnswer;
  /** Is told who was asked what, and whose answer it is. */
  readonly receipt: Pick<ReceiptDraft, "forwarded" | "answeredBy"> | undefined;
  readonly track: Track;
  readonly timing: CallTiming;
  /** What every answer to this call says, names and values in turn. */
  readonly headers: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** How the call ended; the client has been answered, unless it left. */
export interface CallEnd extends TrackEnd {
  readonly tokens: Tokens | undefined;
}

/** Throws {@link ApiError} when there is nothing of a provider's to answer with. */
export function runCall(options: CallRunOptions): Promise<CallEnd> {
  return new CallRun(options).run();
}

/** The last error of a provider that can be passed on as it is. */
interface Passable {
  readonly answer: HeldAnswer;
  readonly candidate: Candidate;
  readonly failed: "client" | "upstream";
}

const pauseBeyondRetryAfterMs = 25; // a timer may fire a little early, and the breaker counts exactly
const busyRetryMs = 1_000;
const leftStatus = 499;

/** Of an attempt that nobody was asked for. */
function readyEnd(answer: HeldAnswer): AttemptEnd {
  const tokens = { prompt: 0, completion: 0, estimated: false };
  const { status } = answer;
  return { outcome: { kind: "complete", answer, tokens }, status, firstByteMs: undefined, succeeded: false };
}

class CallRun {
  readonly #options: CallRunOptions;
  #at = 0;
  #attemptsHere = 0;
  #attempts = 0;
  #request: UpstreamRequest | undefined;
  #observer: AnswerObserver | undefined;
  #passable: Passable | undefined;
  #lastFailure: { failure: Failure; trouble: Trouble; provider: string } | undefined;

  constructor(options: CallRunOptions) {
    this.#options = options;
  }

  async run(): Promise<CallEnd> {
    for (;;) {
      const admitted = this.#admit();
      if (!admitted) return this.#giveUp();
      const { candidate, permit } = admitted;
      const startedMs = this.#options.timing.sinceStartMs;
      const attempted = await this.#attempt(candidate, permit);
      const { holdsAnswers = false } = candidate;
      const end = this.#observer
        ? await proveAnswer(attempted, { observer: this.#observer, holdsAnswers, track: this.#options.track })
        : attempted;
      this.#attempts++;
      this.#attemptsHere++;
      const { outcome } = end;
      if (
        outcome.kind === "complete" ||
        outcome.kind === "delivered" ||
        outcome.kind === "broke-off" ||
        outcome.kind === "left"
      ) {
        if (!end.succeeded) permit.abandoned();
        permit[Symbol.dispose]();
        this.#record(candidate, end, startedMs, undefined);
        return this.#finish(candidate, outcome);
      }
      const trouble = judgeFailure(outcome, this.#options.call.endpoint.name, this.#options.clock.now());
      tellPermit(permit, trouble);
      const next = this.#next(trouble);
      this.#record(candidate, end, startedMs, next);
      this.#remember(candidate, outcome, trouble);
      if (next.do === "answer") return this.#giveUp();
      if (next.do === "move") this.#moveTo(next.to);
      else await this.#pause(next.afterMs, trouble);
      if (this.#options.client.left)
        return { status: leftStatus, error: "client_closed_request", failed: "client", tokens: undefined };
    }
  }

  /** The first candidate from here on that lets an attempt be made. */
  #admit(): { candidate: Candidate; permit: Permit } | undefined {
    const { candidates } = this.#options.route;
    for (; this.#at < candidates.length; this.#moveTo(this.#at + 1)) {
      const candidate = candidates[this.#at]!;
      const permit = candidate.admit();
      if (permit) return { candidate, permit };
    }
    return undefined;
  }

  #attempt(candidate: Candidate, permit: Permit): Promise<AttemptEnd> {
    const { whole, settings, client, timing } = this.#options;
    const call = this.#options.call.callFor?.(candidate.provider) ?? this.#options.call;
    this.#observer = undefined;
    if (call.ready) return Promise.resolve(readyEnd(call.ready));
    this.#observer = candidate.observe?.(call.endpoint.name);
    timing.dispatched();
    this.#request ??= upstreamRequest(call, candidate);
    this.#options.receipt?.forwarded(candidate, this.#request.body);
    return runAttempt(this.#request, {
      call,
      candidate,
      permit,
      whole: whole || candidate.holdsAnswers === true,
      client,
      observer: this.#observer,
      timeouts: timeoutsFor(settings, candidate.provider),
      begin: (status, headers) => this.#begin(candidate, status, headers),
    });
  }

  #next(trouble: Trouble): Next {
    const { route, settings, random } = this.#options;
    const place = {
      candidates: route.candidates,
      at: this.#at,
      attemptsHere: this.#attemptsHere,
      attempts: this.#attempts,
    };
    return decideNext(trouble, place, settings.retry, random);
  }

  #moveTo(at: number): void {
    this.#at = at;
    this.#attemptsHere = 0;
    this.#request = undefined;
  }

  async #pause(ms: number, trouble: Trouble): Promise<void> {
    const asked = "retryAfterMs" in trouble && trouble.retryAfterMs !== undefined;
    try {
      await this.#options.clock.sleep(asked ? ms + pauseBeyondRetryAfterMs : ms, this.#options.client.signal);
    } catch {
      // the client left, which is seen next
    }
  }

  #remember(candidate: Candidate, failure: Failure, trouble: Trouble): void {
    this.#lastFailure = { failure, trouble, provider: candidate.provider.id };
    const answer = failure.kind === "refused" || failure.kind === "broken" ? failure.answer : undefined;
    if (!answer || trouble.kind === "key-refused" || trouble.kind === "unsupported") return;
    this.#passable = {
      answer,
      candidate,
      failed: trouble.kind === "client-fault" || trouble.kind === "too-long" ? "client" : "upstream",
    };
  }

  #finish(candidate: Candidate, outcome: Extract<AttemptEnd["outcome"], { tokens: Tokens | undefined }>): CallEnd {
    const { tokens } = outcome;
    switch (outcome.kind) {
      case "complete":
        this.#answerWith(candidate, outcome.answer);
        return { status: outcome.answer.status, tokens };
      case "delivered":
        return outcome.error
          ? { status: 200, error: "upstream_error", failed: "upstream", tokens }
          : { status: 200, tokens };
      case "broke-off":
        return { status: 200, error: outcome.code, failed: "upstream", tokens };
      case "left":
        return { status: leftStatus, error: "client_closed_request", failed: "client", tokens };
    }
  }

  #giveUp(): CallEnd {
    if (this.#passable) {
      const { candidate, answer, failed } = this.#passable;
      this.#answerWith(candidate, answer, ["x-postern-failed", failed]);
      return { status: answer.status, error: "upstream_error", failed, tokens: undefined };
    }
    if (!this.#lastFailure) {
      const message = `No provider of ${this.#options.call.model} takes a call now: each has failed too often. Try again soon.`;
      throw new ApiError("no_provider", message, { retryAfterMs: busyRetryMs });
    }
    const { trouble, failure, provider } = this.#lastFailure;
    throw finalError(trouble, failure, provider);
  }

  #answerWith(candidate: Candidate, { status, headers, body }: HeldAnswer, more: readonly string[] = []): void {
    this.#begin(candidate, status, headers, [...more, "content-length", String(body.length)]);
    this.#options.client.end(body);
  }

  #begin(candidate: Candidate, status: number, upstream: UpstreamHeaders, more: readonly string[] = []): void {
    const { client, headers, timing, track, receipt } = this.#options;
    receipt?.answeredBy(candidate);
    const list = [
      ...headers,
      "x-postern-provider",
      candidate.provider.id,
      "x-postern-model",
      headerText(candidate.model),
    ];
    list.push("server-timing", timing.header());
    if (candidate.model !== this.#options.call.model) list.push("x-postern-rewritten", "model");
    if (candidate.attestation) list.push("x-postern-attestation", candidate.attestation);
    if (more.length > 0) list.push(...more);
    addPassedHeaders(list, upstream);
    track.firstByte();
    client.begin(status, list);
  }

  #record({ provider, model }: Candidate, end: AttemptEnd, startedMs: number, next: Next | undefined): void {
    const { track, timing, log, call } = this.#options;
    const outcome = describeOutcome(end.outcome);
    track.attempted({
      provider: provider.id,
      model,
      startedMs,
      firstByteMs: end.firstByteMs,
      endedMs: timing.sinceStartMs,
      status: end.status,
      outcome,
      decided: next && describeNext(next),
    });
    if (outcome !== "answered" && outcome !== "client left")
      log.info("attempt.failed", { requestId: call.id, provider: provider.id, status: end.status, reason: outcome });
  }
}
