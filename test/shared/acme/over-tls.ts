import { Agent, fetch as undiciFetch } from "undici";

/** `fetch` that trusts this root only. */
export function fetchUnder(root: string): { fetch: typeof fetch; agent: Agent } {
  const agent = new Agent({ connect: { ca: root } });
  const trusting = (url: string, init: object) => undiciFetch(url, { ...init, dispatcher: agent });
  return { fetch: trusting as unknown as typeof fetch, agent };
}
