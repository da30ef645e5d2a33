/**
 * An answer that is no stream: held until it is complete, so that a cut one can be asked for again and never looks like
 * success. One that is very large is passed on as it comes from there on, and cut for the client when it is cut here.
 */
import type { Call } from "../../api/call.ts";
import type { Tokens } from "../../tracking/track.ts";
import type { ClientAnswer } from "../answers/client-answer.ts";
import { beginsAsJson, judgeJson } from "./json-answer.ts";
import type { HeldAnswer, Outcome } from "../attempts/outcome.ts";
import { reasons, type AttemptSide, type EndOfBytes, type Receiver } from "./receiver.ts";
import { estimateTokens } from "./usage.ts";

const maxHeldBytes = 4 * 1024 * 1024;

/** Clients that wait for events would find none in it, and take that for an empty answer. */
const noStream = { kind: "broken", reason: "it is no stream, though one was asked for" } as const;

export class HeldReceiver implements Receiver {
  readonly #call: Call;
  readonly #attempt: AttemptSide;
  readonly #client: ClientAnswer;
  /** Nothing of it may be passed on before it is complete. */
  readonly #whole: boolean;
  #pieces: Buffer[] = [];
  #length = 0;
  #passing = false;

  constructor(call: Call, attempt: AttemptSide, client: ClientAnswer, whole: boolean) {
    this.#call = call;
    this.#attempt = attempt;
    this.#client = client;
    this.#whole = whole;
  }

  take(piece: Buffer): Outcome | undefined {
    this.#length += piece.length;
    if (this.#passing) {
      if (!this.#client.write(piece)) this.#attempt.pause();
      return undefined;
    }
    this.#pieces.push(piece);
    if (this.#length <= maxHeldBytes) return undefined;
    if (!this.#isSuccess) return { kind: "broken", reason: "the error is too long" };
    if (this.#whole) return { kind: "broken", reason: "the answer is too long to be held whole" };
    const held = Buffer.concat(this.#pieces);
    if (!beginsAsJson(held)) return { kind: "broken", reason: "the answer is not JSON" };
    if (this.#call.stream) return noStream;
    this.#pieces = [];
    this.#passing = true;
    this.#attempt.begin();
    if (!this.#client.write(held)) this.#attempt.pause();
    return undefined;
  }

  end(how: EndOfBytes): Outcome {
    if (this.#passing) return this.#endPassing(how);
    if (how === "silent") return { kind: "silent", reason: reasons.silent };
    if (how === "cut") return { kind: "broken", reason: reasons.cut };
    const answer = this.#answer();
    if (!this.#isSuccess) return { kind: "refused", answer };
    return this.#judge(answer);
  }

  tokensSoFar(): Tokens {
    return estimateTokens(this.#call.estimatedPromptTokens, 0); // it was paid for, and never seen
  }

  get #isSuccess(): boolean {
    return this.#attempt.status < 300;
  }

  #answer(): HeldAnswer {
    const body = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    return { status: this.#attempt.status, headers: this.#attempt.headers, body };
  }

  #endPassing(how: EndOfBytes): Outcome {
    const tokens = estimateTokens(this.#call.estimatedPromptTokens, this.#length);
    if (how === "complete") {
      this.#client.end();
      return { kind: "delivered", tokens };
    }
    this.#client.breakOff(); // JSON has no place for an error in its midst
    return { kind: "broke-off", code: how === "silent" ? "upstream_timeout" : "upstream_broken", tokens };
  }

  #judge(answer: HeldAnswer): Outcome {
    const { body, headers } = answer;
    const { estimatedPromptTokens: prompt, endpoint, stream } = this.#call;
    const guess = estimateTokens(prompt, endpoint.name === "embeddings" ? 0 : body.length);
    // Compressed, though that was not asked for: nobody can look inside.
    if (headers["content-encoding"] !== undefined)
      return stream ? noStream : { kind: "complete", answer, tokens: guess };
    const verdict = judgeJson(body);
    if (verdict.kind === "error")
      return { kind: "broken", reason: "an error with status 200", answer: { ...answer, status: verdict.status } };
    if (stream) return noStream;
    if (verdict.kind === "broken") return { kind: "broken", reason: "the answer is not JSON, or a part of it" };
    return { kind: "complete", answer, tokens: verdict.tokens ?? guess };
  }
}
