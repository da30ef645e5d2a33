import type { IncomingHttpHeaders } from "node:http";
import type { Provider } from "../providers/provider.ts";
import type { PrivacyRule } from "../routing/route.ts";
import type { Endpoint } from "./endpoints.ts";

/** Where a request came in: at the public name, or at the port on 127.0.0.1. */
export type Surface = "public" | "local";

/** One call as the client made it. The body is passed on byte for byte; what is read of it is here. */
export interface Call {
  /** Also `x-request-id` of the answer. */
  readonly id: string;
  readonly endpoint: Endpoint;
  readonly surface: Surface;
  /** The client's address. */
  readonly client: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** As the client named it. */
  readonly model: string;
  readonly stream: boolean;
  /** `X-Target-Node`. */
  readonly targetNode: string | undefined;
  /** `X-Postern-Privacy`: who may read it, where the settings would allow more. */
  readonly privacy?: PrivacyRule | undefined;
  /** `X-Postern-Delivery: whole`: nothing is sent before the answer is complete, so fail-over can happen until then. */
  readonly whole: boolean;
  /** Of the prompt, from the length of the body: for limits before the provider has counted. */
  readonly estimatedPromptTokens: number;
  /** Milliseconds of a monotonic clock (`performance.now()`). */
  readonly startedAt: number;
  /** The same call as this provider takes it, where that is not the same for all; asked right before each attempt. */
  readonly callFor?: (provider: Provider) => Call;
  /** Its answer, for which no provider has to be asked. */
  readonly ready?: ReadyAnswer;
}

export interface ReadyAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}
