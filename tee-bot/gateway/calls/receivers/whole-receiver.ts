/**
 * A stream that is held until it is complete and every event of it is sound, so that another provider can take over
 * until its very end. Then it is sent at once.
 */
import type { Call } from "../../api/call.ts";
import type { StreamForm } from "../../api/endpoints.ts";
import type { Tokens } from "../../tracking/track.ts";
import { errorAnswer } from "./error-answer.ts";
import { EventBoundary } from "../streams/event-boundary.ts";
import { judgeEvent, parseEvents } from "../streams/events.ts";
import type { Outcome } from "../attempts/outcome.ts";
import { reasons, type AttemptSide, type EndOfBytes, type Receiver } from "./receiver.ts";
import { decideStreamEnd, streamTailBytes } from "../streams/stream-end.ts";
import { readUsage } from "./usage.ts";

const maxHeldBytes = 16 * 1024 * 1024;

export class WholeReceiver implements Receiver {
  readonly #call: Call;
  readonly #form: StreamForm;
  readonly #attempt: AttemptSide;
  readonly #boundary: EventBoundary;
  readonly #pieces: Buffer[] = [];
  #length = 0;
  #hasData = false;
  /** What has come since the end of the last comment, before there is an event. */
  #unread: Buffer[] = [];

  constructor(call: Call, form: StreamForm, attempt: AttemptSide) {
    this.#call = call;
    this.#form = form;
    this.#attempt = attempt;
    this.#boundary = new EventBoundary(form);
  }

  take(piece: Buffer): Outcome | undefined {
    this.#length += piece.length;
    if (this.#length > maxHeldBytes) return { kind: "broken", reason: "the stream is too long to be held whole" };
    this.#pieces.push(piece);
    if (!this.#hasData && this.#hasEvent(piece)) {
      this.#hasData = true;
      this.#unread = [];
      this.#attempt.firstToken();
    }
    return undefined;
  }

  end(how: EndOfBytes): Outcome {
    const body = Buffer.concat(this.#pieces);
    if (how === "silent") return { kind: "silent", reason: reasons.silent };
    const text = body.toString();
    for (const event of parseEvents(this.#form, text)) {
      const verdict = judgeEvent(event);
      if (verdict === "error")
        return { kind: "broken", reason: "an error in its stream", answer: errorAnswer(event.data) };
      if (verdict === "malformed")
        return { kind: "broken", reason: how === "cut" ? reasons.cut : "an event is not JSON" };
    }
    const tail = body.subarray(-streamTailBytes).toString("latin1");
    if (decideStreamEnd(this.#form, this.#form === "responses" ? text : tail) !== "proper")
      return { kind: "broken", reason: reasons[how] };
    const { status, headers } = this.#attempt;
    return { kind: "complete", answer: { status, headers, body }, tokens: this.#tokens(tail) };
  }

  tokensSoFar(): Tokens {
    return { prompt: this.#call.estimatedPromptTokens, completion: this.#pieces.length, estimated: true };
  }

  /** Whether an event ends in this piece; each byte is looked at once. */
  #hasEvent(piece: Buffer): boolean {
    const end = this.#boundary.next(piece);
    this.#unread.push(end > 0 ? piece.subarray(0, end) : piece);
    if (end === 0) return false;
    const text = Buffer.concat(this.#unread).toString();
    this.#unread = [piece.subarray(end)];
    return parseEvents(this.#form, text).length > 0;
  }

  #tokens(tail: string): Tokens {
    return readUsage(tail) ?? this.tokensSoFar();
  }
}
