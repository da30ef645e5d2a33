/** One text from one sequence of the model: the prompt is read, then tokens are chosen until one of several ends. */
import type { LlamaContextSequence, SequenceEvaluateOptions, Token } from "node-llama-cpp";
import { decidePiece, firstPieceTokens } from "./prompt-piece.ts";
import { StopScanner } from "./stop-scanner.ts";
import { TokenText } from "./token-text.ts";

export interface Generation {
  readonly prompt: readonly Token[];
  /** At least 1; with the prompt no more than fit into the context. */
  readonly maxTokens: number;
  readonly options: SequenceEvaluateOptions;
  /** Tokens and texts at which it ends, without saying them. */
  readonly stopTokens: ReadonlySet<Token>;
  readonly stops: readonly string[];
  /** Told each token that was chosen, for penalties. */
  readonly onToken: (token: Token) => void;
}

export interface Generated {
  readonly finish: "stop" | "length";
  /** Chosen, without the one that says that the text is over. */
  readonly completionTokens: number;
  /** Of the prompt, that the sequence had in memory from the one before. */
  readonly cachedTokens: number;
}

/** Yields pieces of text, none of them empty. Throws the signal's reason at the next token after it aborts. */
export async function* generate(
  sequence: LlamaContextSequence,
  generation: Generation,
  signal: AbortSignal,
): AsyncGenerator<string, Generated> {
  const { prompt, maxTokens, options, stopTokens, stops, onToken } = generation;
  // The last token is read in any case: from it comes the first one of the answer.
  await sequence.adaptStateToTokens(prompt.slice(0, -1), false);
  const cachedTokens = sequence.nextTokenIndex;
  const last = await readPrompt(sequence, prompt.slice(cachedTokens), signal);

  const { model } = sequence;
  const tokens = new TokenText((...args) => model.detokenize(...args), prompt);
  const scanner = new StopScanner(stops);
  let completionTokens = 0;
  let finish: Generated["finish"] = "stop";
  for await (const token of sequence.evaluate(last, options)) {
    signal.throwIfAborted();
    if (stopTokens.has(token)) break;
    completionTokens++;
    onToken(token);
    const text = scanner.push(tokens.push(token));
    if (text) yield text;
    if (scanner.stopped) break;
    if (completionTokens >= maxTokens) {
      finish = "length";
      break;
    }
  }
  const rest = scanner.push(tokens.end());
  const tail = scanner.stopped ? rest : rest + scanner.end();
  if (tail) yield tail;
  return { finish, completionTokens, cachedTokens };
}

/** Reads all but the last piece; returns that one. */
async function readPrompt(sequence: LlamaContextSequence, prompt: Token[], signal: AbortSignal): Promise<Token[]> {
  let size = firstPieceTokens;
  let at = 0;
  while (prompt.length - at > size) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, at + size));
    at += size;
    size = decidePiece(size, performance.now() - startedAt);
  }
  signal.throwIfAborted();
  return prompt.slice(at);
}
