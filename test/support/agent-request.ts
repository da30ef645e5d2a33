/** One request to a guest agent's Unix socket, as plain as can be: a client of ours is tested against it elsewhere. */
import { request, type RequestOptions } from "node:http";

export interface AgentAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

const timeoutMs = 10_000;

/** GET without a body, else POST of JSON unless the options say otherwise. */
export function askAgent(
  socketPath: string,
  path: string,
  body?: unknown,
  options: RequestOptions = {},
): Promise<AgentAnswer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request(
      {
        socketPath,
        path,
        method: body === undefined ? "GET" : "POST",
        headers,
        timeout: timeoutMs,
        agent: false,
        ...options,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on("error", reject);
      },
    );
    sent.on("timeout", () => sent.destroy(new Error("The agent did not answer in time.")));
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
  });
}

/** The members of an answer that must be well. */
export async function callAgent(socket: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const { status, text } = await askAgent(socket, path, body);
  if (status !== 200) throw new Error(`Status ${status}: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}
