/**
 * Posts to `RECEIVE_WEBHOOK_URL` as Go's http.Client does for signal-cli-rest-api: Basic credentials from the URL, redirects
 * followed, no deadline. Whoever posts has to wait for as long as the receiver likes; the signal is the end of the process.
 */
import { request as httpRequest, Agent as HttpAgent } from "node:http";
import { request as httpsRequest, Agent as HttpsAgent } from "node:https";
import { errorText } from "../../../../shared/errors.ts";

/** Undefined when it was taken, or why it is lost. */
export type Post = (line: string, signal: AbortSignal) => Promise<string | undefined>;

/** `net/http.Client`, defaultCheckRedirect. */
const maxRedirects = 10;
/** 202 and 204 are failures for it. */
const taken = new Set([200, 201]);
const keepsBody = new Set([307, 308]);
const losesBody = new Set([301, 302, 303]);

export function createWebhook(url: string): Post {
  const agents = { "http:": new HttpAgent({ keepAlive: true }), "https:": new HttpsAgent({ keepAlive: true }) };
  return async (line, signal) => {
    try {
      const status = await follow(new URL(url), `${line}\n`, agents, signal);
      return taken.has(status) ? undefined : `the webhook answered ${status}`;
    } catch (error) {
      return `the webhook could not be called: ${errorText(error)}`;
    }
  };
}

type Agents = Readonly<Record<"http:" | "https:", HttpAgent>>;

async function follow(url: URL, body: string, agents: Agents, signal: AbortSignal): Promise<number> {
  let [target, sent]: [URL, string | undefined] = [url, body];
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const { status, location } = await exchange(target, sent, agents, signal);
    if (location === undefined || !(keepsBody.has(status) || losesBody.has(status))) return status;
    if (losesBody.has(status)) sent = undefined;
    target = new URL(location, target);
  }
  throw new Error(`stopped after ${maxRedirects} redirects`);
}

function exchange(
  url: URL,
  body: string | undefined,
  agents: Agents,
  signal: AbortSignal,
): Promise<{ status: number; location: string | undefined }> {
  const secure = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(
      url,
      {
        method: body === undefined ? "GET" : "POST",
        agent: agents[secure ? "https:" : "http:"],
        signal,
        auth: url.username === "" ? undefined : decodeURIComponent(`${url.username}:${url.password}`),
        headers: {
          "user-agent": "Go-http-client/1.1",
          ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
        },
      },
      (response) => {
        response.resume().on("error", () => {});
        resolve({ status: response.statusCode ?? 0, location: response.headers.location });
      },
    );
    request.on("error", reject).end(body);
  });
}
