/**
 * How acme-client's requests leave: axios asks this adapter, which asks `fetch`. It never waits and tries again, ends
 * at a deadline and a size, and throws {@link CaError} for everything that is no success. Only a refused nonce is
 * returned as an answer, because acme-client itself tries again with the nonce that came with it.
 */
import { withinMs } from "./deadline.ts";
import { CaError, failureOfAnswer, parseRetryAfterMs, unavailable, type Asked } from "./failure.ts";
import type { NoncePool } from "./nonces.ts";
import type { Clock } from "../clock.ts";
import { readBytes } from "../bytes.ts";
import { errorText } from "../errors.ts";

export const requestTimeoutMs = 15_000;
const maxBodyBytes = 1024 * 1024;
/** After that many in one call the CA, or something on the way, mixes them up. */
const maxBadNonces = 5;

/** Of what axios asks its adapter, the part that is looked at; headers are always our own. */
export interface AdapterRequest {
  readonly url?: string;
  readonly method?: string;
  readonly data?: unknown;
}

export interface AdapterAnswer {
  /** Parsed, where it is JSON. */
  readonly data: unknown;
  readonly status: number;
  readonly statusText: string;
  /** In lower case. */
  readonly headers: Record<string, string>;
  readonly config: AdapterRequest;
  readonly request: null;
}

export interface AdapterOptions {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** Ends every request of the call that this adapter is made for. */
  readonly signal: AbortSignal;
  readonly nonces: NoncePool;
  /** What a URL stands for. */
  readonly askedFor: (url: string) => Asked;
}

export function createFetchAdapter(options: AdapterOptions): (request: AdapterRequest) => Promise<AdapterAnswer> {
  let badNonces = 0;
  return async (request) => {
    const { url = "", method = "get" } = request;
    const { response, text } = await exchange(url, method.toUpperCase(), request.data, options);
    const { status } = response;
    const contentType = (response.headers.get("content-type") ?? "").toLowerCase();
    const nonce = response.headers.get("replay-nonce");
    const answer = { data: "", status, statusText: "", headers: headersOf(response), config: request, request: null };

    if (status >= 200 && status < 300) {
      if (nonce) options.nonces.add(nonce);
      return { ...answer, data: method.toUpperCase() === "HEAD" ? "" : readBody(text, contentType) };
    }
    const retryAfterMs = parseRetryAfterMs(response.headers.get("retry-after"), options.clock.now());
    const body = contentType.includes("json") ? parseJson(text) : undefined;
    const failure = failureOfAnswer({ status, contentType, body, retryAfterMs }, options.askedFor(url));
    if (failure.type === "badNonce") {
      options.nonces.clear();
      if (++badNonces <= maxBadNonces) return { ...answer, data: body };
    } else if (nonce) options.nonces.add(nonce);
    throw new CaError(failure);
  };
}

async function exchange(
  url: string,
  method: string,
  data: unknown,
  { fetch, userAgent, timeoutMs, signal }: AdapterOptions,
): Promise<{ response: Response; text: string }> {
  const request: RequestInit = {
    method,
    headers: {
      accept: "application/json, application/pem-certificate-chain, application/problem+json",
      "user-agent": userAgent,
      ...(data !== undefined && { "content-type": "application/jose+json" }),
    },
    ...(typeof data === "string" && { body: data }),
    redirect: "manual", // a signed request is for one URL only (RFC 8555 §6.4)
  };
  try {
    return await withinMs(timeoutMs, async (late) => {
      const response = await fetch(url, { ...request, signal: AbortSignal.any([signal, late]) });
      return { response, text: await readText(response) };
    });
  } catch (error) {
    if (error instanceof CaError) throw error;
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw unavailable(
      late ? `${hostOf(url)} did not answer in time.` : `${hostOf(url)} cannot be reached: ${errorText(error)}.`,
      error,
    );
  }
}

async function readText(response: Response): Promise<string> {
  const bytes = await readBytes(response, maxBodyBytes);
  if (!bytes) throw unavailable(`The CA's answer has more than ${maxBodyBytes} bytes.`);
  return new TextDecoder().decode(bytes);
}

function readBody(text: string, contentType: string): unknown {
  if (contentType.startsWith("application/pem-certificate-chain")) return text;
  if (!contentType.includes("json"))
    throw unavailable(`The CA's answer is ${contentType.slice(0, 60) || "of no content type"}, which is not ACME.`);
  const body = parseJson(text);
  if (body === undefined) throw unavailable("The CA's answer is not whole, or no JSON.");
  return body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function headersOf(response: Response): Record<string, string> {
  const names = ["replay-nonce", "location", "link", "retry-after"];
  return Object.fromEntries(names.map((name) => [name, response.headers.get(name) ?? ""]).filter(([, value]) => value));
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "The CA";
}
