/**
 * One request at one provider, from the connection to the end of its answer. It is over exactly once, whatever comes
 * first: its end, a limit of time, or the client's leaving; then nothing of it is left under way.
 */
import type { Dispatcher } from "undici";
import type { Call } from "../../api/call.ts";
import { Deadline } from "../../deadline.ts";
import type { AnswerObserver } from "../../providers/provider.ts";
import type { Candidate, Permit } from "../../routing/route.ts";
import type { ClientAnswer, ClientListener } from "../answers/client-answer.ts";
import { describeConnectionFailure, isConnectTimeout } from "./connection-failure.ts";
import { HeldReceiver } from "../receivers/held-receiver.ts";
import { LiveReceiver } from "../receivers/live-receiver.ts";
import type { Outcome, UpstreamHeaders } from "./outcome.ts";
import type { AttemptSide, Receiver } from "../receivers/receiver.ts";
import type { Timeouts } from "./timeouts.ts";
import type { UpstreamRequest } from "./upstream-request.ts";
import { WholeReceiver } from "../receivers/whole-receiver.ts";

export interface AttemptOptions {
  readonly call: Call;
  readonly candidate: Candidate;
  /** Told here that the answer is good; of anything else it is told by whoever judges the outcome. */
  readonly permit: Permit;
  /** Nothing is sent before the answer is complete. */
  readonly whole: boolean;
  readonly timeouts: Timeouts;
  readonly client: ClientAnswer;
  /** Sends the head of an answer that begins as it should. */
  readonly begin: (status: number, headers: UpstreamHeaders) => void;
  /** Told of the exact bytes; undefined: nobody wants to know. */
  readonly observer: AnswerObserver | undefined;
}

export interface AttemptEnd {
  readonly outcome: Outcome;
  /** Of the provider's answer; undefined: none came. */
  readonly status: number | undefined;
  /** Since the attempt began. */
  readonly firstByteMs: number | undefined;
  /** Its permit was told so. */
  readonly succeeded: boolean;
}

const overReason = new Error("the attempt is over");

export function runAttempt(request: UpstreamRequest, options: AttemptOptions): Promise<AttemptEnd> {
  return new Promise((resolve) => new Attempt(options, resolve).start(request));
}

type Phase = "connecting" | "waiting" | "receiving" | "paused";

class Attempt implements Dispatcher.DispatchHandler, AttemptSide, ClientListener {
  readonly #options: AttemptOptions;
  readonly #onEnd: (end: AttemptEnd) => void;
  readonly #startedAt = performance.now();
  readonly #deadline = new Deadline(() => this.#onDeadline());
  #controller: Dispatcher.DispatchController | undefined;
  #receiver: Receiver | undefined;
  #phase: Phase = "connecting";
  #status: number | undefined;
  #firstByteMs: number | undefined;
  #hasToken = false;
  #succeeded = false;
  #isOver = false;
  headers: UpstreamHeaders = {};

  constructor(options: AttemptOptions, onEnd: (end: AttemptEnd) => void) {
    this.#options = options;
    this.#onEnd = onEnd;
  }

  start({ path, headers, body }: UpstreamRequest): void {
    const { client, candidate, timeouts } = this.#options;
    client.listener = this;
    if (client.left) return this.clientLeft();
    this.#deadline.set(timeouts.connectMs);
    this.#options.observer?.sent(body);
    const { dispatcher, origin } = candidate.provider.upstream;
    const options = { origin, path, method: "POST", headers, body, headersTimeout: 0, bodyTimeout: 0 } as const;
    try {
      dispatcher.dispatch(options as Dispatcher.DispatchOptions, this);
    } catch (error) {
      this.#over({ kind: "unreachable", reason: describeConnectionFailure(error as Error) });
    }
  }

  get status(): number {
    return this.#status ?? 0;
  }

  firstToken(): void {
    this.#hasToken = true;
    this.#deadline.set(this.#options.timeouts.idleMs);
  }

  begin(): void {
    this.#succeed();
    this.#options.begin(this.status, this.headers);
  }

  pause(): void {
    this.#phase = "paused";
    this.#controller?.pause();
    this.#deadline.set(this.#options.timeouts.clientMs);
  }

  clientLeft(): void {
    this.#over({ kind: "left", tokens: this.#receiver?.tokensSoFar() });
  }

  clientDrained(): void {
    if (this.#phase !== "paused" || this.#isOver) return;
    this.#phase = "receiving";
    this.#deadline.set(this.#options.timeouts.idleMs);
    this.#controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) return controller.abort(overReason); // while it waited for a connection; nothing was sent
    this.#phase = "waiting";
    this.#deadline.set(this.#options.timeouts.firstTokenMs);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void {
    if (status < 200 || this.#isOver) return;
    this.#status = status;
    this.headers = headers;
    this.#firstByteMs = performance.now() - this.#startedAt;
    this.#phase = "receiving";
    const oddity = describeOddStatus(status);
    if (oddity !== undefined) return this.#over({ kind: "broken", reason: oddity });
    const refusal = this.#options.candidate.checkAnswer?.(headers);
    if (refusal !== undefined) return this.#over({ kind: "unfit", reason: refusal });
    this.#options.observer?.began(headers);
    this.#receiver = this.#receiverFor(status, headers);
    if (!this.#receiver)
      return this.#over({ kind: "broken", reason: "its stream is compressed, though that was not asked for" });
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#isOver || !this.#receiver) return;
    this.#options.observer?.received(piece);
    if (this.#phase === "receiving" && (this.#hasToken || this.#receiver instanceof HeldReceiver)) this.firstToken();
    const outcome = this.#receiver.take(piece);
    if (outcome) this.#over(outcome);
  }

  onResponseEnd(): void {
    if (!this.#isOver && this.#receiver) this.#over(this.#receiver.end("complete"));
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#isOver) return;
    const kind = isConnectTimeout(error) ? "silent" : "unreachable";
    this.#over(this.#receiver?.end("cut") ?? { kind, reason: describeConnectionFailure(error) });
  }

  #receiverFor(status: number, headers: UpstreamHeaders): Receiver | undefined {
    const { call, client, whole } = this.#options;
    const form = call.endpoint.stream;
    if (status >= 300 || form === undefined || !isStream(headers, call.stream))
      return new HeldReceiver(call, this, client, whole);
    if (headers["content-encoding"] !== undefined && headers["content-encoding"] !== "identity") return undefined;
    return whole ? new WholeReceiver(call, form, this) : new LiveReceiver(call, form, this, client);
  }

  #onDeadline(): void {
    if (this.#phase === "paused") {
      this.#options.client.breakOff(); // which makes it leave
      return;
    }
    const { timeouts } = this.#options;
    if (this.#receiver) return this.#over(this.#receiver.end("silent"));
    const ms = this.#phase === "connecting" ? timeouts.connectMs : timeouts.firstTokenMs;
    const what = this.#phase === "connecting" ? "no connection" : "no answer";
    this.#over({ kind: "silent", reason: `${what} within ${ms / 1_000} s` });
  }

  #over(outcome: Outcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline.clear();
    this.#options.client.listener = undefined;
    this.#controller?.abort(overReason);
    if (outcome.kind === "complete" || outcome.kind === "delivered") this.#succeed();
    this.#onEnd({ outcome, status: this.#status, firstByteMs: this.#firstByteMs, succeeded: this.#succeeded });
  }

  #succeed(): void {
    if (this.#succeeded) return;
    this.#succeeded = true;
    this.#options.permit.succeeded(this.#firstByteMs ?? 0);
  }
}

/** A client that followed a redirect would put its prompt to somebody whom nobody has chosen. */
function describeOddStatus(status: number): string | undefined {
  if (status >= 300 && status < 400) return `it leads elsewhere, with status ${status}`;
  return status < 600 ? undefined : `there is no status ${status}`;
}

/** Some say nothing, or something else, of the type of a stream that was asked for. */
function isStream({ "content-type": type = "" }: UpstreamHeaders, asked: boolean): boolean {
  const text = String(type).toLowerCase();
  return text.startsWith("text/event-stream") || (asked && !text.startsWith("application/json"));
}
