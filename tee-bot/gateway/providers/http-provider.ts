import { parseBaseUrl } from "./base-url.ts";
import { fetchJson } from "./fetch-json.ts";
import { ProviderError, type Provider, type ProviderModel, type Upstream } from "./provider.ts";
import { openPool, type UpstreamPoolOptions } from "./upstream-pool.ts";

export const listTimeoutMs = 5_000;
/** What is left of calls when a provider is closed ends then. */
const closeTimeoutMs = 5_000;

/** Asks the provider for a page, by its path below the origin; undefined: there is no such page. */
export type Ask = (path: string) => Promise<unknown>;

export interface HttpProviderSpec extends Pick<Provider, "id" | "kind" | "location" | "trust" | "checkAttested"> {
  url: string;
  /** What stands between the URL's own path and the API: `/v1`, where the URL is that of the server. */
  apiPath: string;
  key: string | undefined;
  /** Names and values in turn. */
  headers?: readonly string[];
  /** `path` is that of the URL. */
  list: (ask: Ask, path: string) => Promise<readonly ProviderModel[]>;
}

export interface HttpProviderOptions extends UpstreamPoolOptions {
  /** Of this gateway, that it may know itself. */
  mark: string;
  timeoutMs?: number;
}

/** A provider behind a URL. Throws {@link ProviderError} when the URL is not one that can be called. */
export function openHttpProvider(spec: HttpProviderSpec, options: HttpProviderOptions): Provider {
  const { list, key, url, apiPath, headers = [], ...provider } = spec;
  const { timeoutMs = listTimeoutMs, mark } = options;
  const { origin, path } = parseBaseUrl(url);
  const pool = openPool(origin, options);
  const credentials = key === undefined ? [] : ["authorization", `Bearer ${key}`];
  const upstream: Upstream = {
    dispatcher: pool,
    origin,
    basePath: path + apiPath,
    headers: [...credentials, ...headers],
  };
  return {
    ...provider,
    upstream,
    async fetchModels(signal) {
      const deadline = AbortSignal.timeout(timeoutMs);
      const either = AbortSignal.any([signal, deadline]);
      let isConnected = pool.stats.connected > 0;
      const onConnect = (): void => void (isConnected = true);
      pool.on("connect", onConnect);
      try {
        return await list((page) => fetchJson(upstream, page, { mark, signal: either }), path);
      } catch (error) {
        if (!deadline.aborted || signal.aborted) throw error;
        // A machine that is off often says nothing at all; one that is connected and silent is ill.
        const message = `It did not say what models it has within ${timeoutMs / 1_000} s.`;
        throw new ProviderError(isConnected ? "broken" : "asleep", message, { cause: error });
      } finally {
        pool.off("connect", onConnect);
      }
    },
    async [Symbol.asyncDispose]() {
      const timer = setTimeout(() => void pool.destroy(), closeTimeoutMs);
      await pool.close().catch(() => {}); // it was closed or destroyed before
      clearTimeout(timer);
    },
  };
}
