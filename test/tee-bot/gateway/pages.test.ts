import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { silentLog } from "../../../shared/log.ts";
import type { Surface } from "../../../tee-bot/gateway/api/call.ts";
import { createGateway, type Gateway } from "../../../tee-bot/gateway/gateway.ts";
import { listenLocal } from "../../../tee-bot/server/listen-local.ts";
import { createLocalHttp } from "../../../tee-bot/server/local-http.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { settingsOf } from "../support/ledger.ts";
import { attemptRecord, trackedCall } from "../support/tracked-call.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

/** A gateway without providers, whose pages are asked at either surface. */
async function start(keys: object = {}) {
  const gateway = createGateway({
    settings: settingsOf({ keys, discovery: { ollama: "off", lmStudio: "off" }, embedded: { demo: false } }),
    directory: stack.use(temporaryFolder()).path,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    health: () => ({ status: "healthy", tee: "none", hostnames: [], steps: [] }),
  });
  stack.use(gateway);
  const ports = new Map<Surface, number>();
  for (const surface of ["local", "public"] as const)
    ports.set(surface, stack.use(await listenLocal(createLocalHttp(gateway.handler(surface)), 0, "test")).port);
  const get = async (path: string, surface: Surface, key?: string) => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const response = await fetch(`http://127.0.0.1:${ports.get(surface)}${path}`, { headers });
    const text = await response.text();
    const read = (): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, text, read };
  };
  return { gateway, get };
}

function call({ ledger }: Gateway, id: string, { surface, key }: { surface: Surface; key?: string }): void {
  const track = ledger.tracker.begin(trackedCall(id, { surface, startedAt: performance.now() }));
  track.keyed(key);
  track.attempted(attemptRecord());
  track.firstByte();
  track.end({ status: 200, tokens: { prompt: 1, completion: 2, estimated: false } });
}

describe("GET /v1/requests/{id}/trace", () => {
  it("tells whoever made the call why it went as it did", async () => {
    const { gateway, get } = await start();
    const { key, text } = gateway.ledger.keys.create({ name: "alice" });
    call(gateway, "req_1", { surface: "public", key: key.id });
    const answer = await get("/v1/requests/req_1/trace", "public", text);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.read()).toMatchObject({
      id: "req_1",
      object: "request.trace",
      endpoint: "chat",
      key: { id: key.id, name: "alice" },
      provider: "ollama",
      status: 200,
      failed: null,
      tokens: { prompt: 1, completion: 2, estimated: false },
      explanation: expect.arrayContaining([expect.stringContaining("ollama was asked for m") as string]) as string[],
      attempts: [{ provider: "ollama", started_ms: 1, first_byte_ms: 20, ended_ms: 31, outcome: "answered" }],
    });
  });

  it("shows a key its own requests only, this machine all, and others what needed no key", async () => {
    const { gateway, get } = await start({ public: "off" });
    const alice = gateway.ledger.keys.create({ name: "alice" });
    const bob = gateway.ledger.keys.create({ name: "bob" });
    call(gateway, "req_alice", { surface: "public", key: alice.key.id });
    call(gateway, "req_anybody", { surface: "public" });
    call(gateway, "req_local", { surface: "local" });
    const status = async (id: string, surface: Surface, key?: string): Promise<number> =>
      (await get(`/v1/requests/${id}/trace`, surface, key)).status;
    const ids = ["req_alice", "req_anybody", "req_local"];
    const seen = (surface: Surface, key?: string) => Promise.all(ids.map((id) => status(id, surface, key)));
    expect(await seen("public", alice.text)).toEqual([200, 404, 404]);
    expect(await seen("public", bob.text)).toEqual([404, 404, 404]);
    expect(await seen("public")).toEqual([404, 200, 404]);
    expect(await seen("local")).toEqual([200, 200, 200]);
    expect(await seen("local", bob.text)).toEqual([404, 404, 404]);
  });

  it("answers in OpenAI's form for a request that is not known", async () => {
    const { get } = await start();
    const answer = await get(`/v1/requests/${"x".repeat(500)}/trace`, "local");
    expect(answer.status).toBe(404);
    expect(answer.text.length).toBeLessThan(400);
    expect(answer.read()).toMatchObject({ error: { type: "invalid_request_error", code: "not_found", param: null } });
  });
});

describe("GET /v1/requests", () => {
  it("lists the newest on this machine, page by page, without their traces", async () => {
    const { gateway, get } = await start();
    for (const id of ["req_1", "req_2", "req_3"]) call(gateway, id, { surface: "public" });
    const page = await get("/v1/requests?limit=2", "local");
    expect(page.read()).toMatchObject({ object: "list", has_more: true, data: [{ id: "req_3" }, { id: "req_2" }] });
    expect(page.text).not.toContain("attempts");
    expect((await get("/v1/requests?limit=2&before=req_2", "local")).read()).toMatchObject({
      has_more: false,
      data: [{ id: "req_1" }],
    });
  });

  it.each(["limit=0", "limit=x", "limit=1001", `before=${"x".repeat(101)}`])("refuses ?%s", async (query) => {
    const answer = await (await start()).get(`/v1/requests?${query}`, "local");
    expect(answer.status).toBe(400);
    expect(answer.read()).toMatchObject({ error: { code: "invalid_request" } });
  });

  it("is not there at the public name, nor for a key", async () => {
    const { gateway, get } = await start({ public: "off" });
    const { text } = gateway.ledger.keys.create({ name: "alice" });
    expect((await get("/v1/requests", "public")).status).toBe(404);
    expect((await get("/v1/requests", "public", text)).status).toBe(404);
    expect((await get("/v1/requests", "local", text)).status).toBe(404);
  });
});

describe("GET /metrics", () => {
  it("tells an operator of this machine, and nobody at the public name", async () => {
    const { gateway, get } = await start({ public: "off" });
    call(gateway, "req_1", { surface: "public" });
    const answer = await get("/metrics", "local");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(answer.text).toContain('postern_gateway_requests_total{endpoint="chat",provider="ollama",status="200"');
    expect(answer.text).toContain("postern_gateway_queue 0\n");
    expect((await get("/metrics", "public")).status).toBe(404);
  });

  it("counts calls without a good key, which are in no log", async () => {
    const { gateway, get } = await start();
    const { text, key } = gateway.ledger.keys.create({ name: "alice" });
    gateway.ledger.keys.revoke(key.id);
    for (const shown of [undefined, "postern_cut", text, text])
      expect((await get("/v1/models", "public", shown)).status).toBe(401);
    const metrics = (await get("/metrics", "local")).text;
    for (const line of ['{why="none"} 1', '{why="cut"} 1', '{why="revoked"} 2'])
      expect(metrics).toContain(`postern_gateway_key_refusals_total${line}`);
  });
});
