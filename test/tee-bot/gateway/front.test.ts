import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { ApiError } from "../../../tee-bot/gateway/api/api-error.ts";
import { startUpstream } from "../../support/upstream/upstream.ts";
import { startPublicName } from "../support/public-name.ts";
import { ask, chat, startCalledGateway, type Answer, type CalledGateway } from "./support/called-gateway.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const start = async (): Promise<CalledGateway> =>
  startCalledGateway(stack, { route: [stack.use(await startUpstream())] });
const codeOf = ({ text }: Answer): unknown => (JSON.parse(text) as { error: { code: unknown } }).error.code;

describe("the port on this machine", () => {
  it.each(["127.0.0.1", "127.0.0.1:31145", "localhost", "LOCALHOST:80", "[::1]:1"])("answers as %s", async (host) => {
    const { port } = await start();
    expect((await ask(port, chat("m"), { headers: { host } })).status).toBe(200);
    expect((await ask(port, "", { method: "GET", path: "/", headers: { host } })).status).toBe(200);
  });

  it.each([
    "evil.test",
    "127.0.0.1.evil.test",
    "localhost.evil.test:31145",
    "localhost@evil.test",
    "127.0.0.1:31145@evil",
    "0.0.0.0",
    "169.254.1.1",
    "[::]",
  ])("does not answer as %s, neither calls nor pages", async (host) => {
    const { port } = await start();
    const call = await ask(port, chat("m"), { headers: { host } });
    expect(call.status).toBe(403);
    expect(codeOf(call)).toBe("origin_not_allowed");
    for (const path of ["/", "/healthz", "/v1/models"])
      expect((await ask(port, "", { method: "GET", path, headers: { host } })).status).toBe(403);
  });

  it.each(["https://evil.test", "http://localhost.evil.test", "null", "http://127.0.0.1.evil.test:80", "http://[::2]"])(
    "answers no page from %s",
    async (origin) => {
      const { port } = await start();
      const call = await ask(port, chat("m"), { headers: { origin } });
      expect(call.status).toBe(403);
      expect(codeOf(call)).toBe("origin_not_allowed");
      expect(call.headers["access-control-allow-origin"]).toBeUndefined();
      expect((await ask(port, "", { method: "OPTIONS", headers: { origin } })).status).toBe(403);
      expect((await ask(port, "", { method: "GET", path: "/healthz", headers: { origin } })).status).toBe(403);
    },
  );

  it("answers pages from this machine, and tells their browser", async () => {
    const { port } = await start();
    for (const origin of ["http://localhost:3000", "http://127.0.0.1", "tauri://localhost"]) {
      const call = await ask(port, chat("m"), { headers: { origin } });
      expect(call.status).toBe(200);
      expect(call.headers).toMatchObject({ "access-control-allow-origin": origin, vary: "origin" });
    }
  });
});

describe("the public name", () => {
  it("answers any page under /v1, and its preflight", async () => {
    const gateway = await start();
    const name = stack.use(await startPublicName(gateway.handler("public")));
    const origin = "https://app.test";
    const preflight = await name.ask("/v1/chat/completions", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-stainless-os",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "authorization,x-stainless-os",
      "access-control-allow-methods": expect.stringContaining("POST") as unknown,
    });
    const body = JSON.stringify(chat("m"));
    const call = await name.ask("/v1/chat/completions", { method: "POST", headers: { origin }, body });
    expect(call.status).toBe(200);
    expect(call.headers).toMatchObject({ "access-control-allow-origin": "*", "access-control-expose-headers": "*" });
    for (const path of ["/v1/models", "/v1/nothing"])
      expect((await name.ask(path, { headers: { origin } })).headers["access-control-allow-origin"]).toBe("*");
    expect((await name.ask("/", { headers: { origin } })).headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("cannot be made to say headers by those that a preflight asks for", async () => {
    const gateway = await start();
    const name = stack.use(await startPublicName(gateway.handler("public")));
    const answer = await name.ask("/v1/x", {
      method: "OPTIONS",
      headers: { "access-control-request-headers": "a\u00e9" },
    });
    expect(answer.headers["access-control-allow-headers"]).toBe("authorization, content-type");
  });

  it("answers over HTTP/2 as it does over HTTP/1.1", async () => {
    const gateway = await start();
    const name = stack.use(await startPublicName(gateway.handler("public")));
    const session = name.http2();
    const sent = session.request({ ":path": "/v1/chat/completions", ":method": "GET" });
    const [headers] = (await once(sent, "response")) as [Record<string, unknown>];
    expect(headers).toMatchObject({ ":status": 405, allow: "POST, OPTIONS", "access-control-allow-origin": "*" });
    sent.resume();
    session.close();
  });
});

describe("the attestation report", () => {
  const refusing = () => {
    throw new ApiError("invalid_api_key", "Nobody has this key.");
  };

  it("is shown to who has no key, at both doors, to this machine only at its own", async () => {
    const route = [stack.use(await startUpstream())];
    const { port, handler } = await startCalledGateway(stack, {
      route,
      access: { authenticate: refusing },
      showReport: (_, response, address) => void response.end(`shown to ${address}`),
    });
    const path = "/v1/aci/attestation?nonce=0";
    expect((await ask(port, "", { method: "GET", path })).text).toBe("shown to 127.0.0.1");
    expect((await ask(port, "", { method: "GET", path: "/v1/models" })).status).toBe(401);
    expect((await ask(port, "", { method: "GET", path, headers: { host: "evil.test" } })).status).toBe(403);
    const name = stack.use(await startPublicName(handler("public")));
    expect((await name.ask(path)).body).toBe("shown to 203.0.113.9");
    expect((await name.ask(`${path.split("?", 1)[0]}/x`)).status).toBe(401);
  });
});

describe("a path", () => {
  it.each(["GET", "PUT", "DELETE", "HEAD"])("of a call does not take %s, and says what it takes", async (method) => {
    const { port } = await start();
    const answer = await ask(port, "", { method });
    expect(answer.status).toBe(405);
    expect(answer.headers["allow"]).toBe("POST, OPTIONS");
    if (method !== "HEAD") expect(codeOf(answer)).toBe("method_not_allowed");
  });

  it("that is a whole URL leads to the same", async () => {
    const { port } = await start();
    const answer = await ask(port, chat("m"), { path: `http://127.0.0.1:${port}/v1/chat/completions` });
    expect(answer.status).toBe(200);
  });

  it("with a slash too many is another", async () => {
    const { port } = await start();
    const answer = await ask(port, chat("m"), { path: "/v1/chat/completions/" });
    expect(answer.status).toBe(404);
    expect(codeOf(answer)).toBe("not_found");
  });
});
