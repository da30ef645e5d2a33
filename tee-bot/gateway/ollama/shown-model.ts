import { readUpTo } from "../../upstream/read-up-to.ts";
import type { Provider } from "../providers/provider.ts";

const timeoutMs = 5_000;
const maxBytes = 4 * 1024 * 1024;

/** What an Ollama itself tells of a model of its own; undefined when it does not. */
export async function fetchShown({ upstream }: Provider, model: string): Promise<object | undefined> {
  const { dispatcher, origin, basePath } = upstream;
  try {
    const { statusCode, body } = await dispatcher.request({
      origin,
      path: `${basePath.replace(/\/v1$/, "")}/api/show`,
      method: "POST",
      headers: [...upstream.headers, "content-type", "application/json"],
      body: JSON.stringify({ model }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const bytes = await readUpTo(body, maxBytes);
    const shown: unknown = bytes && statusCode === 200 ? JSON.parse(bytes.toString()) : undefined;
    return typeof shown === "object" && shown !== null ? shown : undefined;
  } catch {
    return undefined; // it is away, or slow: the catalogue has to do
  }
}
