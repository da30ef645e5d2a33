/**
 * A stream passed on as it comes. Nothing is sent before its first event, so that until then somebody else can answer;
 * then whole events only, those that came together in one write. A stream that does not come to its proper end is ended
 * with an error event: never silently.
 */
import type { Call } from "../../api/call.ts";
import type { StreamForm } from "../../api/endpoints.ts";
import type { Tokens } from "../../tracking/track.ts";
import type { ClientAnswer } from "../answers/client-answer.ts";
import { errorAnswer } from "./error-answer.ts";
import { errorEvent } from "../answers/error-event.ts";
import { EventBoundary } from "../streams/event-boundary.ts";
import { judgeEvent, parseEvents, type StreamEvent } from "../streams/events.ts";
import type { Outcome } from "../attempts/outcome.ts";
import { reasons, type AttemptSide, type EndOfBytes, type Receiver } from "./receiver.ts";
import { decideStreamEnd, type StreamEnd } from "../streams/stream-end.ts";
import { StreamTail } from "../streams/stream-tail.ts";
import { readUsage } from "./usage.ts";

/** An event may be so long; what is longer is passed on in pieces. */
const maxHeldBytes = 1024 * 1024;

export class LiveReceiver implements Receiver {
  readonly #call: Call;
  readonly #form: StreamForm;
  readonly #attempt: AttemptSide;
  readonly #client: ClientAnswer;
  readonly #boundary: EventBoundary;
  readonly #tail: StreamTail;
  /** Complete events that wait for the end of this tick, and the beginning of one that is not complete. */
  #ready: Buffer[] = [];
  /** How many of the first ones are comments and empty lines only. */
  #wordless = 0;
  #half: Buffer[] = [];
  #halfBytes = 0;
  #begun = false;
  #scheduled = false;
  #isMidEvent = false;
  #pieces = 0;

  constructor(call: Call, form: StreamForm, attempt: AttemptSide, client: ClientAnswer) {
    this.#call = call;
    this.#form = form;
    this.#attempt = attempt;
    this.#client = client;
    this.#boundary = new EventBoundary(form);
    this.#tail = new StreamTail(form);
  }

  take(piece: Buffer): Outcome | undefined {
    this.#pieces++;
    const end = this.#boundary.next(piece);
    if (end === piece.length) this.#complete(piece);
    else {
      if (end > 0) this.#complete(piece.subarray(0, end));
      this.#half.push(end > 0 ? piece.subarray(end) : piece);
      this.#halfBytes += piece.length - end;
      if (this.#halfBytes > maxHeldBytes) {
        if (!this.#begun) return { kind: "broken", reason: "the first event is too long" };
        this.#complete(undefined);
        this.#isMidEvent = true;
      }
    }
    if (!this.#begun) return this.#ready.length === 0 ? undefined : this.#judgeFirst();
    this.#schedule();
    return undefined;
  }

  end(how: EndOfBytes): Outcome {
    if (!this.#begun) {
      const last = how === "complete" ? this.#completeLast() : undefined;
      if (!this.#begun) return last ?? this.#endUnbegun(how);
    } else if (how === "complete") this.#completeLast();
    this.#flush();
    const tail = this.#tail.text();
    const said: StreamEnd = this.#tail.sawEnd ? "proper" : decideStreamEnd(this.#form, tail);
    const tokens = this.#tokens(tail);
    if (said === "missing") return this.#endWithError(how, tail, tokens);
    this.#client.end();
    return { kind: "delivered", tokens, error: said === "error" };
  }

  tokensSoFar(): Tokens {
    return this.#tokens(this.#tail.text());
  }

  /** `piece` ends an event. */
  #complete(piece: Buffer | undefined): void {
    if (this.#halfBytes > 0) {
      this.#ready.push(...this.#half);
      this.#half = [];
      this.#halfBytes = 0;
    }
    if (piece) this.#ready.push(piece);
    this.#isMidEvent = false;
  }

  /** Looks at the events that have come until one has data. */
  #judgeFirst(): Outcome | undefined {
    const [first] = parseEvents(this.#form, Buffer.concat(this.#ready.slice(this.#wordless)).toString());
    if (!first) {
      this.#wordless = this.#ready.length;
      const kept = this.#ready.reduce((sum, { length }) => sum + length, 0);
      return kept > maxHeldBytes ? { kind: "broken", reason: "no event came among its comments" } : undefined;
    }
    const verdict = judgeEvent(first);
    if (verdict === "malformed") return { kind: "broken", reason: "its first event is not JSON" };
    if (verdict === "error") return this.#refuse(first);
    this.#begun = true;
    this.#attempt.firstToken();
    this.#attempt.begin();
    this.#schedule();
    return undefined;
  }

  #refuse(first: StreamEvent): Outcome {
    return { kind: "broken", reason: "an error instead of its first event", answer: errorAnswer(first.data) };
  }

  #endUnbegun(how: EndOfBytes): Outcome {
    return { kind: how === "silent" ? "silent" : "broken", reason: reasons[how] };
  }

  /** The last event of a stream that ends without the empty line behind it. */
  #completeLast(): Outcome | undefined {
    if (this.#halfBytes === 0) return undefined;
    const [event, ...more] = parseEvents(this.#form, Buffer.concat(this.#half).toString());
    if (!event || more.length > 0 || judgeEvent(event) === "malformed") return undefined;
    this.#complete(Buffer.from(this.#form === "ollama-lines" ? "\n" : "\n\n"));
    return this.#begun ? undefined : this.#judgeFirst();
  }

  #schedule(): void {
    if (this.#scheduled || this.#ready.length === 0) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#ready.length === 0) return;
    const bytes = this.#ready.length === 1 ? this.#ready[0]! : Buffer.concat(this.#ready);
    this.#ready = [];
    this.#tail.add(bytes);
    if (!this.#client.write(bytes)) this.#attempt.pause();
  }

  #endWithError(how: EndOfBytes, tail: string, tokens: Tokens): Outcome {
    const code = how === "silent" ? "upstream_timeout" : "upstream_broken";
    const event = errorEvent(this.#form, code, `The provider's stream is incomplete: ${reasons[how]}.`, tail);
    this.#client.end(Buffer.from(this.#isMidEvent ? `\n\n${event}` : event));
    return { kind: "broke-off", code, tokens };
  }

  /** Without a count: providers send about one event a token, each in a piece of its own. */
  #tokens(tail: string): Tokens {
    const { estimatedPromptTokens: prompt } = this.#call;
    return readUsage(tail) ?? { prompt, completion: this.#pieces, estimated: true };
  }
}
