/** The pages that tell which models there are. */
import { Hono } from "hono";
import type { Caller } from "../access/access.ts";
import { isModelAllowed } from "../access/model-globs.ts";
import { ApiError, errorBody } from "../api/api-error.ts";
import type { CatalogueEntry } from "../catalogue/catalogue.ts";
import type { GatewayHealth } from "../catalogue/provider-health.ts";
import type { PageEnvironment } from "./page-environment.ts";
import type { Provider } from "../providers/provider.ts";

export interface ModelPagesOptions {
  list: () => readonly CatalogueEntry[];
  /** By any name that a call may use. */
  find: (name: string) => CatalogueEntry | undefined;
  health: () => GatewayHealth;
  /** The provider that answers for it first. */
  providerOf: (entry: CatalogueEntry) => Provider | undefined;
}

const prefix = "/v1/models/";
const uncached = { "cache-control": "no-store" };

export function createModelPages({ list, find }: ModelPagesOptions): Hono<PageEnvironment> {
  const app = new Hono<PageEnvironment>();

  // https://platform.openai.com/docs/api-reference/models
  app.get("/v1/models", (context) => {
    const data = list().filter((entry) => mayUse(context.env.caller, entry));
    return context.json({ object: "list", data }, 200, uncached);
  });

  // Ids have slashes, which some clients escape and others do not.
  app.get(`${prefix}*`, (context) => {
    const name = decode(new URL(context.req.url).pathname.slice(prefix.length));
    const entry = find(name);
    if (entry && mayUse(context.env.caller, entry)) return context.json(entry, 200, uncached);
    const message = `There is no model "${name.slice(0, 100)}". GET /v1/models lists what there is.`;
    return context.json(errorBody(new ApiError("model_not_found", message, { param: "model" })), 404);
  });

  return app;
}

/** By at least one of its names. */
export function mayUse(caller: Caller | undefined, { id, postern }: CatalogueEntry): boolean {
  const { provider, synonyms = [] } = postern;
  return [id, `${provider}/${id}`, ...synonyms].some((name) => isModelAllowed(caller?.models, name));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
