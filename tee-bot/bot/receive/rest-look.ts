/** The two calls that receiving needs. Neither goes through the one lane to signal-cli, which all others share. */
import { AppError, errorText } from "../../../shared/errors.ts";
import { z } from "zod";

export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

const aboutMs = 10_000;
const maxAboutBytes = 64 * 1024;
/** How long signal-cli listens for new messages in one poll; others wait meanwhile. */
const pollSeconds = 1;
/** It starts a Java process for each call. */
const pollMs = 60_000;
const maxPollBytes = 16 * 1024 * 1024;
const maxPolled = 100;

const aboutSchema = z.object({ mode: z.string() });

/** `json-rpc`, `normal` or `native`. Throws {@link AppError}. */
export async function fetchMode(api: string, fetch: Fetch, signal: AbortSignal): Promise<string> {
  const answer = aboutSchema.safeParse(
    await getJson(new URL("/v1/about", api), { fetch, signal, withinMs: aboutMs, maxBytes: maxAboutBytes }),
  );
  if (answer.success) return answer.data.mode;
  throw new AppError(
    "upstream-unavailable",
    "What is at signal.api does not say its mode: it is no signal-cli-rest-api.",
  );
}

/** What came in since the last poll, in modes without a webhook: the `params` of each message. Throws {@link AppError}. */
export async function pollMessages(
  api: string,
  account: string,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const url = new URL(`/v1/receive/${encodeURIComponent(account)}`, api);
  url.searchParams.set("timeout", String(pollSeconds));
  url.searchParams.set("max_messages", String(maxPolled));
  url.searchParams.set("ignore_stories", "true");
  const answer = await getJson(url, { fetch, signal, withinMs: pollMs, maxBytes: maxPollBytes });
  if (Array.isArray(answer)) return answer;
  throw new AppError("upstream-unavailable", "The REST server answered a poll with something else than a list.");
}

interface GetOptions {
  fetch: Fetch;
  signal: AbortSignal;
  withinMs: number;
  maxBytes: number;
}

async function getJson(url: URL, { fetch, signal, withinMs, maxBytes }: GetOptions): Promise<unknown> {
  const path = url.pathname.split("/").slice(0, 3).join("/"); // without the number
  let response: Response;
  try {
    const { username, password } = url;
    const credential = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString(
      "base64",
    );
    url.username = url.password = ""; // fetch refuses them in a URL
    const headers = username ? { authorization: `Basic ${credential}` } : undefined;
    response = await fetch(url, {
      ...(headers && { headers }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    });
  } catch (error) {
    throw new AppError("upstream-unavailable", `The REST server did not answer ${path}: ${errorText(error)}.`);
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new AppError("upstream-unavailable", `The REST server answered ${path} with ${response.status}.`);
  }
  return parse(await readLimited(response, path, maxBytes), path);
}

async function readLimited(response: Response, path: string, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += (chunk as Uint8Array).length;
      if (bytes > maxBytes) break; // which ends the connection
      chunks.push(chunk as Uint8Array);
    }
  } catch (error) {
    throw new AppError("upstream-unavailable", `The answer to ${path} was cut: ${errorText(error)}.`);
  }
  if (bytes > maxBytes) throw new AppError("upstream-unavailable", `The answer to ${path} has over ${maxBytes} bytes.`);
  return Buffer.concat(chunks).toString();
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AppError("upstream-unavailable", `The answer to ${path} is no JSON.`);
  }
}
