/**
 * What Ollama's clients ask besides calls: its version, which models there are and how they are. To look after models
 * is no affair of a gateway, so those pages say that they are not supported.
 */
import { Hono } from "hono";
import { version } from "../../../shared/version.ts";
import type { CatalogueEntry } from "../catalogue/catalogue.ts";
import { mayUse, type ModelPagesOptions } from "../pages/models.ts";
import type { PageEnvironment } from "../pages/page-environment.ts";
import { runningOf, shownOf, tagOf } from "./model-shape.ts";
import { fetchShown } from "./shown-model.ts";

/** Of the API that is spoken here; clients refuse what is too old for them. */
const apiVersion = "0.12.6";
const maxBodyBytes = 64 * 1024;
const uncached = { "cache-control": "no-store" };

/** Clients that look for an Ollama ask `GET /` for JSON or text, and browsers for HTML. */
export function wantsOllama(accept: string | undefined): boolean {
  return accept !== undefined && /application\/json|text\/plain/.test(accept) && !accept.includes("text/html");
}

export function createOllamaPages({ list, find, providerOf }: ModelPagesOptions): Hono<PageEnvironment> {
  const app = new Hono<PageEnvironment>();
  const usable = ({ env }: { env: PageEnvironment["Bindings"] }): CatalogueEntry[] =>
    list().filter((entry) => mayUse(env?.caller, entry));

  app.get("/api/version", (context) => context.json({ version: apiVersion, postern: version }));

  app.get("/api/tags", (context) => context.json({ models: usable(context).map(tagOf) }, 200, uncached));

  app.get("/api/ps", (context) => {
    const loaded = usable(context).filter(({ postern }) => postern.loaded === true);
    return context.json({ models: loaded.map(runningOf) }, 200, uncached);
  });

  app.post("/api/show", async (context) => {
    if (!(Number(context.req.header("content-length")) <= maxBodyBytes))
      return context.json({ error: `A request has at most ${maxBodyBytes} bytes, and says how many.` }, 413);
    const name = nameIn(await context.req.json().catch(() => undefined));
    if (name === undefined) return context.json({ error: 'Name the model: {"model": "…"}.' }, 400);
    const entry = find(name) ?? find(name.replace(/:latest$/, ""));
    if (!entry || !mayUse(context.env?.caller, entry))
      return context.json({ error: `model '${name.slice(0, 100)}' not found; GET /api/tags lists what there is` }, 404);
    const provider = providerOf(entry);
    const shown = provider?.kind === "ollama" && !entry.postern.alias_for && (await fetchShown(provider, entry.id));
    return context.json(shown || shownOf(entry, provider?.kind), 200, uncached);
  });

  for (const path of ["pull", "push", "create", "copy", "delete", "blobs/:digest"])
    app.all(`/api/${path}`, (context) =>
      context.json({ error: "This gateway does not look after models. Do that at the provider that has them." }, 501),
    );

  app.all("/api/*", (context) =>
    context.json({ error: `There is no ${context.req.method} ${context.req.path} here.` }, 404),
  );

  return app;
}

/** Older clients say `name`. */
function nameIn(body: unknown): string | undefined {
  const { model, name } = (typeof body === "object" && body !== null ? body : {}) as {
    model?: unknown;
    name?: unknown;
  };
  const given = model ?? name;
  return typeof given === "string" && given !== "" ? given : undefined;
}
