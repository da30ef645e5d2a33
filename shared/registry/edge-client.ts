import type { z } from "zod";
import { readBytes } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import { AppError, errorText } from "../errors.ts";
import { errorOfProblem } from "../problem.ts";
import { signRequest, type RequestSigner } from "../signature/signed-request.ts";

export const edgeTimeoutMs = 10_000;
const maxAnswerBytes = 1024 * 1024;

export interface EdgeClientOptions {
  /** Origin of the edge, e.g. `https://edge.example.com`. */
  edge: string;
  signer: RequestSigner;
  clock: Clock;
  fetch: typeof fetch;
  timeoutMs?: number;
}

interface RequestParts {
  body?: unknown;
  signal?: AbortSignal;
  /** For an answer that may be long in coming. */
  timeoutMs?: number;
}

/** Signed requests to the edge. Each throws {@link AppError}: the edge's own code, or `upstream-unavailable`. */
export class EdgeClient {
  readonly #options: EdgeClientOptions;

  constructor(options: EdgeClientOptions) {
    this.#options = options;
  }

  async request<T>(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    answer: z.ZodType<T>,
    { body, signal, timeoutMs = this.#options.timeoutMs ?? edgeTimeoutMs }: RequestParts = {},
  ): Promise<T> {
    const { fetch, edge } = this.#options;
    const url = new URL(path, edge).href;
    const json = body === undefined ? undefined : JSON.stringify(body);
    const headers = await this.signedHeaders(method, url, json);
    const deadline = AbortSignal.timeout(timeoutMs);

    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers,
        ...(json !== undefined && { body: json }),
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        redirect: "error",
      });
      text = await readText(response);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof AppError) throw error;
      throw new AppError("upstream-unavailable", `The edge at ${edge} did not answer: ${errorText(error)}`, {
        cause: error,
      });
    }
    const value = parseJson(text);
    if (!response.ok) throw errorOfProblem(value, response.status);
    const parsed = answer.safeParse(value);
    if (!parsed.success)
      throw new AppError(
        "upstream-unavailable",
        `The edge answered ${method} ${path} in a form this version does not know.`,
      );
    return parsed.data;
  }

  /** For requests made by other means, such as the upgrade to a WebSocket. */
  signedHeaders(method: string, url: string, body?: string): Promise<Headers> {
    return signRequest(
      { method, url, ...(body !== undefined && { body, headers: { "content-type": "application/json" } }) },
      this.#options.signer,
      this.#options.clock.now(),
    );
  }
}

/** The body as text; stops reading at {@link maxAnswerBytes}. */
async function readText(response: Response): Promise<string> {
  const bytes = await readBytes(response, maxAnswerBytes);
  if (!bytes) throw new AppError("too-large", "The edge answered with more than 1 MiB.");
  return new TextDecoder().decode(bytes);
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
