import type { Dispatcher } from "undici";
import { readUpTo } from "../../upstream/read-up-to.ts";
import { errorText } from "../../../shared/errors.ts";

/** Where NEAR's API is, and what every request there says. */
export interface NearApi {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** Without a slash at its end: `/v1`. */
  readonly basePath: string;
  /** Names and values in turn, the credentials among them. */
  readonly headers: readonly string[];
}

export interface NearAnswer {
  readonly status: number;
  readonly bytes: Buffer;
}

/** It was not to be had; says nothing about what it would have shown. */
export class NearUnavailable extends Error {
  override readonly name = "NearUnavailable";
}

/**
 * `GET`, its path below the base; `signal` ends it. Throws {@link NearUnavailable}, whose message tells nothing of what the
 * answer said.
 */
export async function getNear(
  { dispatcher, origin, basePath, headers }: NearApi,
  path: string,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): Promise<NearAnswer> {
  const own = [...headers, "accept", "application/json", "accept-encoding", "identity"];
  try {
    const answer = await dispatcher.request({ origin, method: "GET", path: basePath + path, headers: own, signal });
    return { status: answer.statusCode, bytes: await readBody(answer.body, maxBytes) };
  } catch (error) {
    if (error instanceof NearUnavailable) throw error;
    throw new NearUnavailable(`NEAR's API could not be asked: ${errorText(error)}`, { cause: error });
  }
}

async function readBody(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const bytes = await readUpTo(body, maxBytes);
  if (!bytes) throw new NearUnavailable(`NEAR's API answered with more than ${maxBytes} bytes.`);
  return bytes;
}

/** Undefined: it is no JSON. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}
