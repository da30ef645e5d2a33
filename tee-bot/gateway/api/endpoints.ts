/** The calls of the API that go to a provider. */

/** How a stream of this endpoint says that it is complete. */
export type StreamForm = "chat" | "completion" | "responses" | "ollama-lines";

export interface Endpoint {
  readonly name: EndpointName;
  /** The path on this gateway. */
  readonly path: string;
  /** Below the provider's base URL, which ends in `/v1`. */
  readonly upstreamPath: string;
  /** It is beside that `/v1`, not below it. */
  readonly besideV1?: true;
  /** Undefined: never answered by a stream. */
  readonly stream: StreamForm | undefined;
}

export type EndpointName = "chat" | "completions" | "embeddings" | "responses";

// https://platform.openai.com/docs/api-reference
export const endpoints: readonly Endpoint[] = [
  { name: "chat", path: "/v1/chat/completions", upstreamPath: "/chat/completions", stream: "chat" },
  { name: "completions", path: "/v1/completions", upstreamPath: "/completions", stream: "completion" },
  { name: "embeddings", path: "/v1/embeddings", upstreamPath: "/embeddings", stream: undefined },
  { name: "responses", path: "/v1/responses", upstreamPath: "/responses", stream: "responses" },
];
