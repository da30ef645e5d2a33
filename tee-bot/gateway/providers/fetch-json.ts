import type { Dispatcher } from "undici";
import { readUpTo } from "../../upstream/read-up-to.ts";
import { errorText } from "../../../shared/errors.ts";
import { lookHeader, loopDetected } from "./own-looks.ts";
import { ProviderError, type Upstream } from "./provider.ts";
import { isUnreachable } from "./unreachable.ts";

export interface LookOptions {
  /** Of this gateway, that it may know itself. */
  mark: string;
  signal: AbortSignal;
}

export const maxListBytes = 4 * 1024 * 1024;

/**
 * What a provider answers to `GET path`, of the origin; undefined: it has no such page. Throws {@link ProviderError},
 * whose message tells neither credentials nor what the answer said.
 */
export async function fetchJson(upstream: Upstream, path: string, { mark, signal }: LookOptions): Promise<unknown> {
  const headers = [...upstream.headers, lookHeader, mark, "accept", "application/json", "accept-encoding", "identity"];
  try {
    const answer = await upstream.dispatcher.request({ method: "GET", path, headers, signal });
    const refusal = refusalOf(answer.statusCode, path);
    const text = refusal || isAbsent(answer.statusCode) ? await drop(answer) : await readText(answer, path);
    if (refusal) throw refusal;
    return text === undefined ? undefined : parse(text, path);
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    if (!isUnreachable(error)) throw new ProviderError("broken", errorText(error), { cause: error });
    throw new ProviderError("asleep", `Nothing can be reached at ${upstream.origin}`, { cause: error });
  }
}

const isAbsent = (status: number): boolean => status === 404 || status === 405 || status === 501;

function refusalOf(status: number, path: string): ProviderError | undefined {
  if (status === 200 || isAbsent(status)) return undefined;
  if (status === 401 || status === 403)
    return new ProviderError("refused-key", `It answers ${path} with ${status}: the key is missing, wrong or expired.`);
  if (status === loopDetected) return new ProviderError("broken", "Its url leads back to this gateway.");
  return new ProviderError("broken", `It answers ${path} with ${status}.`);
}

async function readText({ body }: Dispatcher.ResponseData, path: string): Promise<string> {
  const bytes = await readUpTo(body, maxListBytes);
  if (!bytes) throw new ProviderError("broken", `Its answer to ${path} is longer than 4 MiB.`);
  return bytes.toString();
}

async function drop({ body }: Dispatcher.ResponseData): Promise<undefined> {
  await body.dump({ limit: 64 * 1024 });
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProviderError("broken", `Its answer to ${path} is no JSON.`);
  }
}
