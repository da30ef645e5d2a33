/** One model in memory: its chat template, and sequences that each make one text at a time, side by side. */
import type {
  ChatWrapper,
  LlamaContextSequence,
  LlamaEmbeddingContext,
  LlamaGrammar,
  LlamaModel,
  Token,
} from "node-llama-cpp";
import type { ChatMessage } from "../api/chat-request.ts";
import { EngineError } from "../api/engine-error.ts";
import type { ResponseFormat } from "../api/response-format.ts";
import type { ModelSampling, Sampling } from "../api/sampling.ts";
import { GgufError } from "../gguf/parse-gguf.ts";
import { readGguf } from "../gguf/read-gguf.ts";
import { decideContextSize, type EngineModel } from "../messages.ts";
import { generate, type Generated } from "./generate.ts";
import { grammarOf, jsonStops } from "./grammar.ts";
import type { LlamaLibrary } from "./llama.ts";
import { optionsOf } from "./options.ts";
import { chatPrompt, textPrompt, type Prompt } from "./prompt.ts";
import { Slots, type Slot } from "./slots.ts";
import { decideThreads } from "./threads.ts";

/** Texts that are made at a time, and requests that wait for one of them to end. */
export const sequences = 2;
const maxWaiting = 32;
/** No token stands for more; a text that is longer than the context by this measure is not even read. */
const maxCharactersPerToken = 256;

export interface TextCall {
  readonly prompt: Prompt;
  readonly sampling: Sampling;
  readonly stops: readonly string[];
  /** Undefined: as far as the context goes. */
  readonly maxTokens: number | undefined;
  readonly format: ResponseFormat | undefined;
}

export class LoadedModel {
  readonly id: string;
  readonly #library: LlamaLibrary;
  readonly #model: LlamaModel;
  readonly #contextSize: number;
  readonly #wrapper: ChatWrapper;
  readonly #threads: number;
  #slots: Promise<Slots<LlamaContextSequence>> | undefined;
  #open: Slots<LlamaContextSequence> | undefined;
  #embedding: Promise<LlamaEmbeddingContext> | undefined;

  private constructor(spec: EngineModel, library: LlamaLibrary, model: LlamaModel) {
    this.id = spec.id;
    this.#library = library;
    this.#model = model;
    this.#contextSize = decideContextSize(spec.contextSize, model.trainContextSize);
    this.#wrapper = library.module.resolveChatWrapper(model) ?? new library.module.GeneralChatWrapper();
    this.#threads = decideThreads(model.size, library.llama.cpuMathCores);
  }

  /** Throws {@link EngineError} `model_unavailable`. */
  static async load(spec: EngineModel, library: LlamaLibrary): Promise<LoadedModel> {
    try {
      // llama.cpp may never come to an end with a header that is damaged, and take all memory meanwhile.
      await readGguf(spec.path, { whole: true });
      return new LoadedModel(spec, library, await library.llama.loadModel({ modelPath: spec.path }));
    } catch (error) {
      throw unavailable(spec.id, error, library);
    }
  }

  get busy(): number {
    return this.#open?.busy ?? 0;
  }

  get waiting(): number {
    return this.#open?.waiting ?? 0;
  }

  /** What the file says of how tokens are best chosen. */
  get sampling(): ModelSampling {
    const { general } = this.#model.fileInfo.metadata as { general?: { sampling?: ModelSampling } };
    return general?.sampling ?? {};
  }

  chatPrompt(messages: readonly ChatMessage[]): Prompt {
    const characters = messages.reduce((sum, { content }) => sum + JSON.stringify(content ?? "").length, 0);
    this.#refuseHuge(characters);
    return chatPrompt(messages, this.#model, this.#wrapper);
  }

  textPrompt(text: string): Prompt {
    this.#refuseHuge(text.length);
    return textPrompt(text, this.#model);
  }

  /** Waits for a sequence. Throws {@link EngineError}: `context_length_exceeded`, `overloaded`. */
  async take({ prompt }: TextCall, signal: AbortSignal): Promise<Slot<LlamaContextSequence>> {
    if (prompt.tokens.length >= this.#contextSize) throw this.#tooLong(`${prompt.tokens.length} tokens`);
    const slots = await this.#sequences();
    const inMemory = (sequence: LlamaContextSequence): number =>
      sequence.compareContextTokens([...prompt.tokens]).firstDifferentIndex;
    const slot = slots.take(inMemory, signal);
    if (slot) return slot;
    throw new EngineError(
      "overloaded",
      `The embedded engine makes ${sequences} answers at a time, and ${maxWaiting} requests wait. Try again soon.`,
    );
  }

  /** The text, in pieces. */
  async *say(sequence: LlamaContextSequence, call: TextCall, signal: AbortSignal): AsyncGenerator<string, Generated> {
    const { prompt, sampling, maxTokens, format } = call;
    const { module, llama } = this.#library;
    const grammar: LlamaGrammar | undefined = await grammarOf(format, llama);
    const said: Token[] = [];
    return yield* generate(
      sequence,
      {
        prompt: prompt.tokens,
        maxTokens: Math.min(maxTokens ?? Infinity, this.#contextSize - prompt.tokens.length),
        options: optionsOf(module, this.#model, sampling, grammar, said),
        stopTokens: prompt.stopTokens,
        stops: [...prompt.stops, ...call.stops, ...(grammar ? jsonStops : [])],
        onToken: (token) => said.push(token),
      },
      signal,
    );
  }

  /** Throws {@link EngineError}: `not_supported`, `context_length_exceeded`. */
  async embed(text: string): Promise<{ vector: readonly number[]; tokens: number }> {
    if (!canEmbed(this.#model))
      throw new EngineError("not_supported", `${this.id} is a model for text: it makes no embeddings.`, "model");
    this.#refuseHuge(text.length);
    const context = await this.#embeddingContext();
    const tokens = context.calculateInputLength(text);
    if (tokens >= this.#contextSize) throw this.#tooLong(`${tokens} tokens`, "input");
    const { vector } = await context.getEmbeddingFor(text);
    return { vector, tokens };
  }

  #refuseHuge(characters: number): void {
    const tokens = Math.ceil(characters / maxCharactersPerToken);
    if (tokens > this.#contextSize) throw this.#tooLong(`more than ${tokens} tokens`);
  }

  #tooLong(length: string, param = "messages"): EngineError {
    const message =
      `The context of ${this.id} is ${this.#contextSize} tokens, and this request has ${length}, which leaves no room ` +
      "for an answer. Shorten it, or take a model with a larger context.";
    return new EngineError("context_length_exceeded", message, param);
  }

  #sequences(): Promise<Slots<LlamaContextSequence>> {
    const create = async (): Promise<Slots<LlamaContextSequence>> => {
      const context = await this.#model.createContext({
        sequences,
        contextSize: this.#contextSize,
        threads: this.#threads,
        failedCreationRemedy: false,
      });
      this.#open = new Slots(
        Array.from({ length: sequences }, () => context.getSequence()),
        maxWaiting,
      );
      return this.#open;
    };
    this.#slots ??= create().catch((error: unknown) => {
      this.#slots = undefined;
      throw unavailable(this.id, error, this.#library);
    });
    return this.#slots;
  }

  #embeddingContext(): Promise<LlamaEmbeddingContext> {
    const options = { contextSize: this.#contextSize, threads: this.#threads };
    this.#embedding ??= this.#model.createEmbeddingContext(options).catch((error: unknown) => {
      this.#embedding = undefined;
      throw unavailable(this.id, error, this.#library);
    });
    return this.#embedding;
  }
}

/** A model that says how the vectors of its tokens become one. */
function canEmbed(model: LlamaModel): boolean {
  const architecture = model.fileInfo.architectureMetadata as { pooling_type?: number };
  return (architecture.pooling_type ?? 0) > 0;
}

function unavailable(id: string, error: unknown, { module }: LlamaLibrary): EngineError {
  const why = whyOf(error, module);
  return new EngineError("model_unavailable", `${id} is not available: ${why}`, undefined, { cause: error });
}

function whyOf(error: unknown, { InsufficientMemoryError }: LlamaLibrary["module"]): string {
  if (error instanceof GgufError) return `its file is damaged. ${error.message}`;
  if (error instanceof InsufficientMemoryError)
    return "there is not enough memory for it. Set a smaller contextSize, or take a smaller model.";
  return "llama.cpp cannot load its file. The log at level debug has the details.";
}
