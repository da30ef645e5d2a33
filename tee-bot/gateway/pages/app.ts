/** What people and programs may read of the gateway: everything behind its door that is no call of the API. */
import { Hono } from "hono";
import type { HealthReport } from "../../health/health.ts";
import type { Surface } from "../api/call.ts";
import type { Ledger } from "../ledger.ts";
import { createOllamaPages, wantsOllama } from "../ollama/pages.ts";
import { aciPages, type AciPagesOptions } from "./aci-pages.ts";
import { frontPage } from "./front-page.ts";
import { createModelPages, type ModelPagesOptions } from "./models.ts";
import type { PageEnvironment } from "./page-environment.ts";
import { requestPages } from "./request-pages.ts";

const prometheusType = "text/plain; version=0.0.4; charset=utf-8";

export interface PagesOptions {
  /** Where these pages are read: some are for this machine only. */
  surface: Surface;
  /** The state of the public name, as `GET /healthz` tells it. */
  health: () => HealthReport;
  ledger: Ledger;
  /** In the text format of Prometheus; told to this machine only. */
  metrics: () => Promise<string>;
  models: ModelPagesOptions;
  aci: AciPagesOptions;
}

export function createPages({ surface, health, ledger, metrics, models, aci }: PagesOptions): Hono<PageEnvironment> {
  const app = new Hono<PageEnvironment>();

  app.get("/", (context) =>
    wantsOllama(context.req.header("accept")) ? context.text("Ollama is running") : context.html(frontPage(health())),
  );

  app.get("/healthz", (context) => {
    const report = health();
    // What somebody has to look at does not make the name unfit for visitors; a step that is not made does.
    const serving = report.steps.every(({ ok }) => ok);
    return context.json(report, serving ? 200 : 503, { "cache-control": "no-store" });
  });

  app.get("/health", (context) =>
    context.json({ ...models.health(), tee: health().tee }, 200, { "cache-control": "no-store" }),
  );

  // A path is read more kindly here than at the door (%76 is a v): what the door did not see as the API's has no caller.
  for (const path of ["/v1/*", "/api/*"])
    app.use(path, (context, next) => (context.env.caller ? next() : Promise.resolve(context.notFound())));

  app.route("/", createModelPages(models));

  app.route("/", requestPages({ surface, tracker: ledger.tracker, keys: ledger.keys }));

  app.route("/", aciPages(aci));

  app.route("/", createOllamaPages(models));

  if (surface === "local")
    app.get("/metrics", async (context) =>
      context.text(await metrics(), 200, { "content-type": prometheusType, "cache-control": "no-store" }),
    );

  app.notFound((context) => {
    const { method, path } = context.req;
    const message = `There is no ${method} ${path} here.`;
    if (path.startsWith("/v1/"))
      return context.json({ error: { message, type: "invalid_request_error", param: null, code: "not_found" } }, 404);
    return context.text(`${message} GET / says what this is.\n`, 404);
  });

  return app;
}
