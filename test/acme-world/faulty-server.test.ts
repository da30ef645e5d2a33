import { afterEach, beforeEach, expect, test } from "vitest";
import { contentType, htmlPage } from "../support/faults.ts";
import { startFaultyServer, type FaultyServer } from "../support/faulty-server.ts";

let server: FaultyServer;
let handled: string[];

beforeEach(async () => {
  handled = [];
  server = await startFaultyServer({
    kindOf: ({ path }) => (path.startsWith("/orders") ? "order" : undefined),
    handle: ({ path }) => {
      handled.push(path);
      return { status: 200, headers: { "content-type": "application/json" }, body: '{"ok":true}' };
    },
  });
});
afterEach(() => server[Symbol.asyncDispose]());

const ask = (path: string, method = "POST"): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}${path}`, { method, signal: AbortSignal.timeout(2_000) });

test("a fault meets as many requests as it is told, after those it lets pass", async () => {
  const injection = server.faults.inject("POST /orders", htmlPage(503), { skip: 1, times: 2 });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await ask("/orders")).status);
  expect(statuses).toEqual([200, 503, 503, 200]);
  expect(injection.hits).toBe(2);
});

test("a fault meets only the method and the segments it names, or the kind", async () => {
  server.faults.inject("GET /orders/*", htmlPage(500), { times: 9 });
  expect((await ask("/orders/1")).status).toBe(200);
  expect((await ask("/base/orders/1", "GET")).status).toBe(500);
  expect((await ask("/orders/1/parts", "GET")).status).toBe(200);
  server.faults.clear();
  server.faults.inject("order", htmlPage(500));
  expect((await ask("/orders/1")).status).toBe(500);
});

test("a connection is dropped before or after the request is done", async () => {
  server.faults.inject("/before", { kind: "drop", when: "before" });
  server.faults.inject("/after", { kind: "drop", when: "after" });
  await expect(ask("/before")).rejects.toThrow("fetch failed");
  await expect(ask("/after")).rejects.toThrow("fetch failed");
  expect(handled).toEqual(["/after"]);
});

test("a truncated body fails its reader", async () => {
  server.faults.inject("/cut", { kind: "truncate" });
  const response = await ask("/cut");
  await expect(response.text()).rejects.toThrow("terminated");
});

test("an answer comes under another content type", async () => {
  server.faults.inject("/type", contentType("text/html"));
  const response = await ask("/type");
  expect(response.headers.get("content-type")).toBe("text/html");
  expect(await response.json()).toEqual({ ok: true });
});

test("a server that is silent answers nothing, and can still be stopped", async () => {
  server.faults.inject("/silent", { kind: "silence", when: "after" });
  const hold = server.faults.hold("/other", "before");
  const asked = [ask("/silent"), ask("/other")].map((answer) => answer.catch(() => "failed"));
  await hold.arrived;
  await server[Symbol.asyncDispose]();
  expect((await Promise.all(asked))[0]).toBe("failed");
});

test("a request is held before it is done, or with its answer ready", async () => {
  const before = server.faults.hold("/before", "before");
  const asked = ask("/before");
  expect(await before.arrived).toMatchObject({ path: "/before" });
  expect(handled).toEqual([]);
  before.release();
  expect((await asked).status).toBe(200);

  const after = server.faults.hold("/after", "after");
  const other = ask("/after");
  await after.arrived;
  expect(handled).toEqual(["/before", "/after"]);
  after.release();
  expect((await other).status).toBe(200);
  expect(server.faults.count("/after")).toBe(1);
  expect(server.faults.seen).toMatchObject([{ status: 200 }, { status: 200 }]);
});
