import type { Token } from "node-llama-cpp";

/** What turns tokens into text, as far as is needed here; `model.detokenize` is one. */
export type Detokenize = (tokens: readonly Token[], special: boolean, before: readonly Token[]) => string;

const replacement = "\uFFFD";
/** A character has at most four bytes, and a token at least one. */
const maxHeldTokens = 4;
/** As much as llama.cpp looks at to decide about a space. */
const contextTokens = 8;

/** The text of tokens that come one by one: a character whose bytes are in several tokens comes with the last. */
export class TokenText {
  readonly #detokenize: Detokenize;
  #before: readonly Token[];
  #held: Token[] = [];

  constructor(detokenize: Detokenize, before: readonly Token[]) {
    this.#detokenize = detokenize;
    this.#before = before.slice(-contextTokens);
  }

  push(token: Token): string {
    this.#held.push(token);
    const text = this.#detokenize(this.#held, false, this.#before);
    if (text.endsWith(replacement) && this.#held.length < maxHeldTokens) return "";
    return this.#take(text);
  }

  /** What is left when nothing more comes: half a character, at most. */
  end(): string {
    return this.#held.length === 0 ? "" : this.#take(this.#detokenize(this.#held, false, this.#before));
  }

  #take(text: string): string {
    this.#before = [...this.#before, ...this.#held].slice(-contextTokens);
    this.#held = [];
    return text;
  }
}
