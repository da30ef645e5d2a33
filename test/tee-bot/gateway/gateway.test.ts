import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../shared/log.ts";
import { systemClock } from "../../../shared/clock.ts";
import { createGateway } from "../../../tee-bot/gateway/gateway.ts";
import { gatewaySettingsSchema } from "../../../tee-bot/gateway/settings.ts";
import type { HealthReport } from "../../../tee-bot/health/health.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { publicHost, startPublicName, type PublicName } from "../support/public-name.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const well: HealthReport = {
  status: "healthy",
  tee: "none",
  hostnames: ["alice.test"],
  steps: [{ step: "identity", ok: true, detail: "This node is x." }],
};
const keyless = { keys: { public: "off" } };
async function start(report: HealthReport = well, settings: object = {}): Promise<PublicName> {
  const gateway = createGateway({
    settings: gatewaySettingsSchema.parse({ discovery: { ollama: "off", lmStudio: "off" }, ...settings }),
    directory: stack.use(temporaryFolder()).path,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    health: () => report,
  });
  stack.use(gateway);
  return stack.use(await startPublicName(gateway.handler("public")));
}

describe("the gateway", () => {
  it("shows a page that says what this is and loads nothing from elsewhere", async () => {
    const name = await start();
    const { status, headers, body } = await name.ask("/");
    expect(status).toBe(200);
    expect(headers["content-type"]).toContain("text/html");
    expect(body).toContain("A private AI node");
    expect(body).toContain("alice.test");
    expect(body).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect((await name.ask("/", { method: "HEAD" })).body).toBe("");
  });

  it("writes names as text, whatever is in them", async () => {
    const name = await start({ ...well, hostnames: ['<script>alert("1")</script>'] });
    const { body } = await name.ask("/");
    expect(body).not.toContain("<script>");
    expect(body).toContain("&lt;script&gt;");
  });

  it("says of a simulated TEE that it is one, at /healthz, at /health and on its page", async () => {
    const name = await start({ ...well, tee: "simulated" });
    for (const path of ["/healthz", "/health"])
      expect(JSON.parse((await name.ask(path)).body)).toMatchObject({ tee: "simulated" });
    expect((await name.ask("/")).body).toContain("SIMULATED: nothing of this node is proven");
    expect((await (await start()).ask("/")).body).not.toContain("SIMULATED");
  });

  it.each([
    ["healthy", true, 200],
    ["degraded", true, 200],
    ["degraded", false, 503],
    ["starting", false, 503],
  ] as const)("tells at /healthz each step; %s with every step made (%s) has status %i", async (status, ok, code) => {
    const report: HealthReport = { ...well, status, steps: [{ step: "loopback", ok, detail: "." }] };
    const name = await start(report);
    const answer = await name.ask("/healthz");
    expect(answer.status).toBe(code);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(JSON.parse(answer.body)).toEqual(report);
  });

  it("has no models without providers, in OpenAI's form", async () => {
    const name = await start(well, keyless);
    expect(JSON.parse((await name.ask("/v1/models")).body)).toEqual({ object: "list", data: [] });
  });

  it("says in OpenAI's form what is not there under /v1, and plainly elsewhere", async () => {
    const name = await start(well, keyless);
    for (const [method, path] of [
      ["GET", "/v1/nothing"],
      ["POST", "/v1/models"],
    ] as const) {
      const answer = await name.ask(path, { method });
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toEqual({
        error: {
          message: `There is no ${method} ${path} here.`,
          type: "invalid_request_error",
          param: null,
          code: "not_found",
        },
      });
    }
    const plain = await name.ask("/nothing");
    expect(plain).toMatchObject({ status: 404, body: "There is no GET /nothing here. GET / says what this is.\n" });
    expect(plain.headers["content-type"]).toContain("text/plain");
  });

  it("asks for a key at everything under /v1, and nowhere else", async () => {
    const name = await start();
    for (const path of ["/v1/models", "/v1/nothing", "/v1/requests/req_1/trace"]) {
      const answer = await name.ask(path);
      expect(answer.status).toBe(401);
      expect(answer.headers).toMatchObject({ "www-authenticate": "Bearer", "access-control-allow-origin": "*" });
      expect(JSON.parse(answer.body)).toMatchObject({ error: { code: "invalid_api_key" } });
    }
    expect((await name.ask("/healthz")).status).toBe(200);
  });

  it("is not talked out of the key by another spelling of a path", async () => {
    const name = await start();
    for (const path of [
      "/%76%31/models",
      "/v1%2fmodels",
      "/x/../v1/models",
      "/./v1/models",
      "/x/%2e%2e/v1/models",
      "//v1/models",
      "/\\v1/models",
      "/V1/models",
      "/v1;/models",
      "http://elsewhere.test/v1/models",
      "/%61pi/tags",
      "/x/../api/tags",
    ]) {
      const answer = await name.exchange(`GET ${path} HTTP/1.1\r\nhost: ${publicHost}\r\nconnection: close\r\n\r\n`);
      expect(`${path}: ${answer}`).toMatch(/: HTTP\/1.1 40[014] /);
    }
  });

  it("answers requests that are no requests, and lives on", async () => {
    const name = await start();
    for (const target of ["//", "//[", "http://[", "*", "/%", "/%ff%fe", "http://elsewhere.test/healthz"]) {
      const answer = await name.exchange(`GET ${target} HTTP/1.1\r\nhost: ${publicHost}\r\nconnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1.1 [234]\d\d /);
    }
    const odd = await name.exchange("GET / HTTP/1.1\r\nhost: a b[c/\r\nconnection: close\r\n\r\n");
    expect(odd).toMatch(/^HTTP\/1.1 [24]\d\d /);
    expect((await name.ask("/healthz")).status).toBe(200);
  });

  it("refuses a WebSocket", async () => {
    const name = await start();
    const answer = await name.exchange(
      `GET / HTTP/1.1\r\nhost: ${publicHost}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 426 /);
  });

  it("survives a visitor who resets amid an upgrade", async () => {
    const name = await start();
    const socket = await name.dial();
    socket.write(`GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n`);
    socket.destroy();
    await once(socket, "close");
    expect((await name.ask("/healthz")).status).toBe(200);
  });
});
