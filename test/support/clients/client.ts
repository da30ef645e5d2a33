/** The OpenAI clients that people use, each asked the same things. None retries by itself, so that every failure shows. */

export interface ClientOptions {
  /** With `/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: string;
  /** What the client fetches with, where the way to the gateway is no ordinary one. */
  readonly fetch?: typeof globalThis.fetch;
}

export interface Question {
  readonly model: string;
  readonly stream: boolean;
  /** Offers {@link toolName}. */
  readonly tools?: boolean;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  readonly prompt?: string;
}

/** What the program that uses the client is told. What the client raises is thrown. */
export interface Told {
  readonly text: string;
  readonly finishReason: string | undefined;
  /** Tokens of the answer. */
  readonly completionTokens: number | undefined;
  readonly toolCall: { readonly name: string; readonly arguments: unknown } | undefined;
}

export interface Client {
  readonly name: string;
  ask(question: Question): Promise<Told>;
}

export const toolName = "find_door";
export const toolParameters = {
  type: "object",
  properties: { street: { type: "string" } },
} as const;

export const usualPrompt = "Say in sixty words how a door is judged.";
