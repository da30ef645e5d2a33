/** One call in Ollama's form: the client's end of it, and what it is for each provider. */
import { ApiError, errorBody } from "../api/api-error.ts";
import type { Call, ReadyAnswer } from "../api/call.ts";
import type { ClientAnswer } from "../calls/answers/client-answer.ts";
import type { Provider, ProviderKind } from "../providers/provider.ts";
import { pieceOf, type AnswerFacts } from "./answer-shape.ts";
import type { OllamaEndpoint } from "./endpoints.ts";
import { OllamaAnswer } from "./ollama-answer.ts";
import { translateCall, type TranslatedCall } from "./translate-call.ts";

/** Whether a call may name this model here. */
export type KnowsModel = (name: string) => boolean;

const latest = ":latest";

export class OllamaCall {
  readonly client: OllamaAnswer;
  readonly #endpoint: OllamaEndpoint;
  readonly #knows: KnowsModel;

  constructor(endpoint: OllamaEndpoint, client: ClientAnswer, knows: KnowsModel) {
    this.client = new OllamaAnswer(client);
    this.#endpoint = endpoint;
    this.#knows = knows;
  }

  /** Throws {@link ApiError} `invalid_request`. */
  translate(call: Call): Call {
    const { kind, native } = this.#endpoint;
    const model = plainName(call.model, this.#knows);
    const translated = translateCall(kind, call.body, model);
    const { stream, endpoint } = translated;
    const asItCame: Call = { ...call, endpoint: native, stream };
    const made = new Map<ProviderKind, Call>();
    const facts: AnswerFacts = {
      kind,
      model: call.model,
      estimatedPromptTokens: call.estimatedPromptTokens,
      startedAt: call.startedAt,
      now: () => performance.now(),
      date: () => new Date(),
    };
    const inOpenAi = (provider: Provider): Call => {
      const known = made.get(provider.kind) ?? {
        ...call,
        model,
        stream,
        endpoint,
        ...formFor(translated, provider, facts),
      };
      made.set(provider.kind, known);
      return known;
    };
    const callFor = (provider: Provider): Call => {
      const form = provider.kind === "ollama" ? asItCame : inOpenAi(provider);
      const isTranslated = form !== asItCame && form.ready === undefined;
      this.client.expect(isTranslated ? facts : undefined, stream);
      return form;
    };
    return { ...call, model, stream, endpoint, callFor };
  }
}

/** What Ollama's clients call `name:latest` is `name` elsewhere. */
function plainName(name: string, knows: KnowsModel): string {
  if (!name.endsWith(latest) || knows(name)) return name;
  const plain = name.slice(0, -latest.length);
  return knows(plain) ? plain : name;
}

function formFor(translated: TranslatedCall, { kind }: Provider, facts: AnswerFacts): Pick<Call, "body" | "ready"> {
  const none = Buffer.alloc(0);
  const { reason } = translated;
  if (reason !== undefined) {
    const ending = { reason, prompt: 0, completion: 0, firstTokenAt: undefined };
    return { body: none, ready: readyAnswer(200, pieceOf(facts, {}, ending)) };
  }
  try {
    return { body: translated.bodyFor(kind) };
  } catch (error) {
    if (error instanceof ApiError) return { body: none, ready: readyAnswer(error.status, errorBody(error)) };
    throw error;
  }
}

function readyAnswer(status: number, value: object): ReadyAnswer {
  return { status, headers: { "content-type": "application/json" }, body: Buffer.from(JSON.stringify(value)) };
}
