/**
 * The client's end of a call in Ollama's form. What a provider with OpenAI's API answers is translated on its way;
 * what an Ollama answers is passed on byte for byte; errors of whoever are said in Ollama's form.
 */
import type { ClientAnswer, ClientListener } from "../calls/answers/client-answer.ts";
import type { AnswerFacts } from "./answer-shape.ts";
import { errorTextOf } from "./openai-answer.ts";
import { translateAnswer } from "./translate-answer.ts";
import { lineOf, StreamTranslation } from "./translate-stream.ts";

/** Embeddings of many texts are long. */
const maxHeldBytes = 32 * 1024 * 1024;
const badGateway = 502;
const notSaid = new Set(["content-type", "content-length"]);

/** What is done with the bytes of the answer that has begun. */
type Passing =
  | { readonly as: "is" }
  | { readonly as: "stream"; readonly stream: StreamTranslation }
  | {
      readonly as: "whole";
      readonly facts: AnswerFacts;
      readonly streamed: boolean;
      readonly status: number;
      readonly headers: readonly string[];
    }
  | { readonly as: "error"; readonly status: number; readonly headers: readonly string[] };

export class OllamaAnswer implements ClientAnswer {
  readonly #inner: ClientAnswer;
  #facts: AnswerFacts | undefined;
  #streamed = false;
  #passing: Passing | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;

  constructor(inner: ClientAnswer) {
    this.#inner = inner;
  }

  /** How the next answer comes: in OpenAI's form, or (without `facts`) in Ollama's own. */
  expect(facts: AnswerFacts | undefined, streamed: boolean): void {
    this.#facts = facts;
    this.#streamed = streamed;
  }

  get left(): boolean {
    return this.#inner.left;
  }

  get begun(): boolean {
    return this.#passing !== undefined;
  }

  get signal(): AbortSignal {
    return this.#inner.signal;
  }

  get listener(): ClientListener | undefined {
    return this.#inner.listener;
  }

  set listener(told: ClientListener | undefined) {
    this.#inner.listener = told;
  }

  begin(status: number, headers: readonly string[]): void {
    const facts = this.#facts;
    if (status >= 400) this.#passing = { as: "error", status, headers };
    else if (!facts) {
      this.#passing = { as: "is" };
      this.#inner.begin(status, headers);
    } else if (!this.#streamed || valueOf(headers, "content-type")?.startsWith("application/json"))
      this.#passing = { as: "whole", facts, streamed: this.#streamed, status, headers };
    else {
      this.#passing = { as: "stream", stream: new StreamTranslation(facts) };
      this.#inner.begin(status, headersOf(headers, "application/x-ndjson", true));
    }
  }

  write(bytes: Buffer): boolean {
    const passing = this.#passing;
    if (passing?.as === "is") return this.#inner.write(bytes);
    if (passing?.as === "stream") {
      const lines = passing.stream.take(bytes);
      return lines === "" || this.#inner.write(Buffer.from(lines));
    }
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > maxHeldBytes) this.#inner.breakOff();
    else this.#held.push(bytes);
    return true;
  }

  end(bytes?: Buffer): void {
    const passing = this.#passing;
    if (!passing || passing.as === "is") return this.#inner.end(bytes);
    if (passing.as === "stream") {
      const lines = (bytes ? passing.stream.take(bytes) : "") + passing.stream.end();
      return this.#inner.end(Buffer.from(lines));
    }
    const body = Buffer.concat(bytes ? [...this.#held, bytes] : this.#held);
    if (passing.as === "error") return this.#endWith(passing, passing.status, { error: wordsOf(body, passing.status) });
    const answer = translateAnswer(passing.facts, body);
    if (answer instanceof Error) this.#endWith(passing, badGateway, { error: answer.message });
    else this.#endWith(passing, passing.status, answer, passing.streamed);
  }

  breakOff(): void {
    this.#inner.breakOff();
  }

  #endWith({ headers }: { headers: readonly string[] }, status: number, value: object, asLine = false): void {
    const body = Buffer.from(asLine ? lineOf(value) : JSON.stringify(value));
    const list = headersOf(headers, asLine ? "application/x-ndjson" : "application/json; charset=utf-8", status < 400);
    this.#inner.begin(status, [...list, "content-length", String(body.length)]);
    this.#inner.end(body);
  }
}

/** What an error says; pages of proxies and the like are not for clients of an API. */
function wordsOf(body: Buffer, status: number): string {
  let words: string | undefined;
  try {
    words = errorTextOf(JSON.parse(body.toString()));
  } catch {
    words = undefined; // it is not JSON
  }
  return words ?? `The provider answered with status ${status}.`;
}

function headersOf(headers: readonly string[], type: string, isTranslated: boolean): string[] {
  const list: string[] = [];
  for (let at = 0; at < headers.length; at += 2)
    if (!notSaid.has(headers[at]!)) list.push(headers[at]!, headers[at + 1]!);
  list.push("content-type", type);
  if (isTranslated) list.push("x-postern-translated", "openai");
  return list;
}

function valueOf(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return headers[at + 1];
  return undefined;
}
