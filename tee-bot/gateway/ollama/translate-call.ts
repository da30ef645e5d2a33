/** A call in Ollama's form as one in OpenAI's. */
import { ApiError } from "../api/api-error.ts";
import { endpoints, type Endpoint, type EndpointName } from "../api/endpoints.ts";
import type { ProviderKind } from "../providers/provider.ts";
import type { OllamaCallKind } from "./endpoints.ts";
import {
  chatFields,
  embedFields,
  embeddingsFields,
  generateFields,
  parseFields,
  type ChatFields,
  type CommonFields,
  type GenerateFields,
} from "./fields.ts";
import { contentOf, messagesOf } from "./messages.ts";
import { parametersOf, present } from "./parameters.ts";

export interface TranslatedCall {
  readonly endpoint: Endpoint;
  readonly stream: boolean;
  /** `load` or `unload` when the call wants nothing but that; only an Ollama can do it. */
  readonly reason: "load" | "unload" | undefined;
  /** The body for providers of this kind. Throws {@link ApiError} `not_supported` for what OpenAI's API has no words for. */
  bodyFor(kind: ProviderKind): Buffer;
}

/** Throws {@link ApiError} `invalid_request`. */
export function translateCall(kind: OllamaCallKind, body: Buffer, model: string): TranslatedCall {
  switch (kind) {
    case "chat":
      return translateChat(parseFields(chatFields, body), model);
    case "generate":
      return translateGenerate(parseFields(generateFields, body), model);
    case "embed":
      return translateEmbed(model, parseFields(embedFields, body));
    case "embeddings":
      return translateEmbed(model, { input: parseFields(embeddingsFields, body).prompt });
  }
}

function translateChat(fields: ChatFields, model: string): TranslatedCall {
  const messages = fields.messages ?? [];
  const more = { messages: messagesOf(messages), tools: fields.tools?.length ? fields.tools : undefined };
  return generation("chat", fields, messages.length === 0, (kind) => ({
    model,
    ...more,
    ...parametersOf(fields, kind),
  }));
}

function translateGenerate(fields: GenerateFields, model: string): TranslatedCall {
  const { prompt, system, images, raw, suffix } = fields;
  const isEmpty = !prompt && !images?.length && !suffix;
  if (raw || suffix)
    return generation("completions", fields, isEmpty, (kind) => {
      refuse(fields);
      return { model, prompt: prompt ?? "", suffix, ...parametersOf(fields, kind) };
    });
  const messages = [
    ...(system ? [{ role: "system", content: system }] : []),
    { role: "user", content: contentOf(prompt ?? "", images ?? []) },
  ];
  return generation("chat", fields, isEmpty, (kind) => {
    refuse(fields);
    return { model, messages, ...parametersOf(fields, kind) };
  });
}

/** To leave these out would change the answer without a word. */
function refuse({ template, context }: GenerateFields): void {
  const field = template ? "template" : context?.length ? "context" : undefined;
  if (field === undefined) return;
  const message = `\`${field}\` is something that only an Ollama has, and this model is at another provider. Leave it out, or use /api/chat.`;
  throw new ApiError("not_supported", message, { param: field });
}

function generation(
  name: EndpointName,
  fields: CommonFields,
  isEmpty: boolean,
  bodyFor: (kind: ProviderKind) => Record<string, unknown>,
): TranslatedCall {
  const stream = fields.stream !== false;
  const streaming = stream ? { stream: true, stream_options: { include_usage: true } } : { stream: false };
  return {
    endpoint: endpointOf(name),
    stream,
    reason: isEmpty ? (isZero(fields.keep_alive) ? "unload" : "load") : undefined,
    bodyFor: (kind) => Buffer.from(JSON.stringify(present({ ...bodyFor(kind), ...streaming }))),
  };
}

function translateEmbed(
  model: string,
  { input, dimensions }: { input: string | string[]; dimensions?: number | null | undefined },
): TranslatedCall {
  const body = Buffer.from(JSON.stringify(present({ model, input, dimensions, encoding_format: "float" })));
  return { endpoint: endpointOf("embeddings"), stream: false, reason: undefined, bodyFor: () => body };
}

function endpointOf(name: EndpointName): Endpoint {
  return endpoints.find((one) => one.name === name)!;
}

function isZero(keepAlive: CommonFields["keep_alive"]): boolean {
  return keepAlive === 0 || (typeof keepAlive === "string" && /^0[a-z]*$/.test(keepAlive));
}
