import { counters } from "./counters.ts";

/** Counts what the edge asks of others, by where. */
export function meterFetch(): void {
  const fetch = globalThis.fetch;
  globalThis.fetch = (input: RequestInfo | URL, init?: RequestInit<RequestInitCfProperties>) => {
    const { origin } = new URL(input instanceof Request ? input.url : input);
    counters.add(`fetches ${origin}`);
    return fetch(input, init);
  };
}
