/** As much of Cloudflare's API as the setup needs. What it refuses is told in Cloudflare's words. */
import { z } from "zod";
import { SetupFailure } from "./failure.ts";
import { errorText } from "../../shared/errors.ts";

const deadlineMs = 15_000;
const maxAnswerBytes = 1 << 20;

export interface Cloudflare {
  /** The result of a call; throws {@link CloudflareRefusal}, or {@link SetupFailure} when there was no answer. */
  call<T>(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, result: z.ZodType<T>, body?: object): Promise<T>;
}

export class CloudflareRefusal extends Error {
  readonly status: number;
  /** The token is not one, or may not do that. */
  readonly unauthorized: boolean;

  constructor(status: number, errors: readonly { code: number; message: string }[]) {
    const told = errors.map(({ code, message }) => `${message.replace(/\.$/, "")} (code ${code})`).join(", ");
    super(`Cloudflare answered ${status}: ${told || "without a reason"}.`);
    this.status = status;
    this.unauthorized = status === 401 || status === 403 || errors.some(({ code }) => unauthorizedCodes.has(code));
  }
}

/** Cloudflare's answers to a token it does not know, cannot read, or that lacks the right. */
const unauthorizedCodes = new Set([1000, 6003, 6111, 9106, 9109, 10000]);

const answerSchema = z.object({
  success: z.boolean(),
  errors: z.array(z.object({ code: z.number(), message: z.string() })).default([]),
  result: z.unknown(),
});

export interface CloudflareOptions {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

export function createCloudflare({ url, token, fetch, signal }: CloudflareOptions): Cloudflare {
  return {
    async call(method, path, result, body) {
      let status: number;
      let text: string;
      try {
        const response = await fetch(url + path, {
          method,
          headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
          ...(body && { body: JSON.stringify(body) }),
          signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
        });
        status = response.status;
        text = await readText(response);
      } catch (error) {
        signal.throwIfAborted();
        throw new SetupFailure(
          `Cloudflare's API at ${url} did not answer: ${errorText(error)}.`,
          "Check the network and try again.",
          { cause: error },
        );
      }
      const answer = answerSchema.safeParse(jsonOf(text));
      if (answer.success && !answer.data.success) throw new CloudflareRefusal(status, answer.data.errors);
      const read = answer.success ? result.safeParse(answer.data.result) : undefined;
      if (!read?.success)
        throw new SetupFailure(
          `What answered at ${url} with status ${status} is not Cloudflare's API.`,
          "Check CLOUDFLARE_API, and that no proxy is in between; or try again later.",
        );
      return read.data;
    },
  };
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > maxAnswerBytes) throw new Error(`the answer is longer than ${maxAnswerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
