/** DNS over HTTPS (RFC 8484): questions by POST, so that nothing on the way keeps the answers. */
import { decodeAnswer, encodeQuery, type DnsAnswer, type QueryType } from "./message.ts";
import type { DnsServer } from "./server.ts";
import { readBytes } from "../bytes.ts";
import { AppError } from "../errors.ts";

export const dohTimeoutMs = 5_000;
/** The longest DNS message there is. */
const maxAnswerBytes = 65_535;
const messageType = "application/dns-message";

export interface DohOptions {
  /** The whole URL: `https://dns.example/dns-query`. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMs?: number;
}

/** The resolver behind a URL. */
export function createDohServer({ url, fetch, timeoutMs = dohTimeoutMs }: DohOptions): DnsServer {
  return {
    address: url,
    kind: "resolver",
    async ask(name, type) {
      try {
        return await ask(name, type, { url, fetch, signal: AbortSignal.timeout(timeoutMs) });
      } catch (error) {
        if (error instanceof AppError) throw error;
        if (error instanceof DOMException && error.name === "TimeoutError")
          throw new AppError("upstream-timeout", `${url} did not answer within ${timeoutMs / 1000} s.`, {
            cause: error,
          });
        throw new AppError("upstream-unavailable", `${url} cannot be reached.`, { cause: error });
      }
    },
  };
}

async function ask(
  name: string,
  type: QueryType,
  { url, fetch, signal }: { url: string; fetch: DohOptions["fetch"]; signal: AbortSignal },
): Promise<DnsAnswer> {
  const query = encodeQuery(name, type, { id: 0, recurse: true }); // RFC 8484 §4.1: id 0
  if (!query) throw new AppError("bad-request", `"${name}" is no DNS name.`);
  const headers = { "content-type": messageType, accept: messageType };
  const response = await fetch(url, { method: "POST", headers, body: query, signal, redirect: "manual" });
  const contentType = response.headers.get("content-type")?.split(";")[0]?.trim();
  if (response.status !== 200 || contentType !== messageType) {
    await response.body?.cancel();
    throw new AppError("upstream-unavailable", `${url} answered with status ${response.status} and no DNS message.`);
  }
  const message = await readBytes(response, maxAnswerBytes);
  const answer = message && decodeAnswer(message);
  if (!answer) throw new AppError("upstream-unavailable", `${url} answered with something that is no DNS message.`);
  return answer;
}
