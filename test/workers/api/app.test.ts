import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createApp } from "../../../workers/api/app.ts";
import { clock } from "../support/controls.ts";
import { edgeFetch, problemOf } from "../support/edge.ts";
import { edgeOrigin } from "../support/constants.ts";
import { problemSchema } from "../../../shared/problem.ts";

interface Document {
  openapi: string;
  paths: Record<string, Record<string, object>>;
  components: { schemas: object };
}

test("the OpenAPI document lists every route and names the messages", async () => {
  const response = await edgeFetch(`${edgeOrigin}/openapi.json`);
  expect(response.status).toBe(200);
  const document: Document = await response.json();
  expect(document.openapi).toBe("3.1.0");
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.toSorted()).toEqual([
    "DELETE /v1/aliases/{alias}",
    "DELETE /v1/nodes/{node}",
    "DELETE /v1/nodes/{node}/admissions/{order}",
    "DELETE /v1/nodes/{node}/challenges/{order}",
    "DELETE /v1/nodes/{node}/registration",
    "GET /healthz",
    "GET /openapi.json",
    "GET /v1/issuer",
    "GET /v1/nodes/{node}",
    "GET /v1/nodes/{node}/inbox",
    "GET /v1/nodes/{node}/orders/{order}",
    "GET /v1/nodes/{node}/relays",
    "GET /v1/relays/{relay}/feed",
    "GET /v1/routes/{hostname}",
    "POST /v1/inbox/{node}/{hook}",
    "POST /v1/nodes/{node}/inbox/outcomes",
    "POST /v1/nodes/{node}/inbox/revival",
    "POST /v1/nodes/{node}/orders",
    "POST /v1/nodes/{node}/registration",
    "PUT /v1/aliases/{alias}",
    "PUT /v1/nodes/{node}/accounts",
    "PUT /v1/nodes/{node}/admissions/{order}",
    "PUT /v1/nodes/{node}/challenges/{order}",
    "PUT /v1/nodes/{node}/inbox",
    "PUT /v1/nodes/{node}/lease",
    "PUT /v1/nodes/{node}/rules",
    "PUT /v1/relays/{relay}/observations",
    "PUT /v1/relays/{relay}/status",
  ]);
  const schemas = [
    "Alias",
    "Admission",
    "Deliveries",
    "Inbox",
    "Issuer",
    "Node",
    "Order",
    "Presented",
    "Problem",
    "Registration",
    "Route",
  ];
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(schemas));
});

test("health says zone, issuer and version", async () => {
  const response = await edgeFetch(`${edgeOrigin}/healthz`);
  expect(await response.json()).toEqual({
    ok: true,
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    zone: "postern.localhost",
    issuer: "local",
    problems: [],
  });
});

test("a request id that can stand in a log line is kept, another one is replaced", async () => {
  const idFor = async (given: string): Promise<string | null> =>
    (await edgeFetch(`${edgeOrigin}/healthz`, { headers: { "x-request-id": given } })).headers.get("x-request-id");
  expect(await idFor("abc-123")).toBe("abc-123");
  expect(await idFor('"}, evil')).toMatch(/^[0-9a-f-]{36}$/);
});

test("an edge without a zone says so, and answers nothing else", async () => {
  const app = createApp({ clock });
  const health = await app.request("/healthz", {}, { ...env, ZONE: "", LEASE_MS: "soon" });
  expect(health.status).toBe(503);
  const { ok, problems }: { ok: boolean; problems: string[] } = await health.json();
  expect(ok).toBe(false);
  expect(problems).toEqual([expect.stringContaining("ZONE"), expect.stringContaining("LEASE_MS")]);
  const other = await problemOf(await app.request("/v1/issuer", {}, { ...env, ZONE: "" }));
  expect(other.code).toBe("internal");
  expect(other.detail).toContain("/healthz");
});

test("an edge without a CA runs, and says how certificates can be issued", async () => {
  const app = createApp({ clock });
  const bindings = { ...env, CA_CERTIFICATE: "", CA_KEY: "" };
  const health = await app.request("/healthz", {}, bindings);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ ok: true, problems: [expect.stringContaining("CA_KEY")] });
  const issuer = await problemOf(await app.request("/v1/issuer", {}, bindings));
  expect(issuer).toMatchObject({ code: "issuer-unavailable", detail: expect.stringContaining("CA_KEY") });
});

test("what was not foreseen is answered without its cause", async () => {
  const app = createApp({ clock });
  app.get("/broken", () => {
    throw new Error("secret cause");
  });
  const response = await app.request("/broken", {}, { ...env, LOG_LEVEL: "error" });
  const text = await response.text();
  expect(problemSchema.parse(JSON.parse(text)).code).toBe("internal");
  expect(text).not.toContain("secret cause");
});
