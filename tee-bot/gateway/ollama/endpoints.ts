/** The calls of Ollama's API, and what each is in OpenAI's. https://docs.ollama.com/api */
import type { Endpoint } from "../api/endpoints.ts";

export type OllamaCallKind = "chat" | "generate" | "embed" | "embeddings";

export interface OllamaEndpoint {
  readonly kind: OllamaCallKind;
  /** For a provider that is an Ollama itself, which gets the call as it came. */
  readonly native: Endpoint;
}

export const ollamaPrefix = "/api/";

export const ollamaEndpoints: readonly OllamaEndpoint[] = [
  { kind: "chat", native: native("chat", "/api/chat", "ollama-lines") },
  { kind: "generate", native: native("chat", "/api/generate", "ollama-lines") },
  { kind: "embed", native: native("embeddings", "/api/embed", undefined) },
  { kind: "embeddings", native: native("embeddings", "/api/embeddings", undefined) },
];

function native(name: Endpoint["name"], path: string, stream: Endpoint["stream"]): Endpoint {
  return { name, path, upstreamPath: path, besideV1: true, stream };
}
