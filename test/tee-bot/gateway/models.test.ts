import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { createGateway } from "../../../tee-bot/gateway/gateway.ts";
import { gatewaySettingsSchema, type GatewaySettings } from "../../../tee-bot/gateway/settings.ts";
import type { Surface } from "../../../tee-bot/gateway/api/call.ts";
import { listenLocal } from "../../../tee-bot/server/listen-local.ts";
import { createLocalHttp } from "../../../tee-bot/server/local-http.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { lmStudioStandIn } from "../../support/models/lm-studio.ts";
import { nearStandIn } from "../../support/models/near-ai.ts";
import { ollamaStandIn } from "../../support/models/ollama.ts";
import { openAiStandIn } from "../../support/models/openai.ts";
import type { ModelServer } from "../../support/models/stand-in.ts";
import { recordingLog } from "../support/log.ts";
import { ask, chat, type Answer } from "./support/called-gateway.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const discovery = { ollama: "off", lmStudio: "off", everySeconds: 0.2 };
const settingsOf = (parts: object): GatewaySettings =>
  gatewaySettingsSchema.parse({ keys: { public: "off" }, discovery, embedded: { demo: false }, ...parts });

async function start(parts: object, env: Record<string, string> = {}) {
  const log = recordingLog();
  const gateway = createGateway({
    settings: settingsOf(parts),
    directory: stack.use(temporaryFolder()).path,
    clock: systemClock,
    random: Math.random,
    log,
    health: () => ({ status: "healthy", tee: "none", hostnames: ["alice.postern.test"], steps: [] }),
    node: "ab".repeat(32),
    env,
  });
  stack.use(gateway);
  await gateway.ready;
  const ports = new Map<Surface, number>();
  for (const surface of ["local", "public"] as const) {
    const server = stack.use(await listenLocal(createLocalHttp(gateway.handler(surface)), 0, "test"));
    ports.set(surface, server.port);
  }
  const portOf = (surface: Surface): number => ports.get(surface) ?? 0;
  return {
    log,
    port: portOf("local"),
    follow: (next: object) => gateway.follow(settingsOf(next)),
    chat: (model: string, headers: Record<string, string> = {}): Promise<Answer> =>
      ask(portOf("local"), chat(model), { headers }),
    keyFor: (models: string[]) => gateway.ledger.keys.create({ name: "test", models }).text,
    get: async (path: string, surface: Surface = "local", key?: string) => {
      const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
      const answer = await ask(portOf(surface), "", { path, method: "GET", headers });
      return { ...answer, json: JSON.parse(answer.text) as unknown };
    },
  };
}

const run = async (server: ModelServer): Promise<ModelServer> => stack.use(await server.start());
const errorOf = ({ text }: Answer): unknown => (JSON.parse(text) as { error: unknown }).error;

describe("a gateway before an Ollama that is found", () => {
  it("lists its models and answers by them, also by the short name", async () => {
    const ollama = await run(ollamaStandIn());
    const gateway = await start({ discovery: { ...discovery, ollama: "auto" } }, { OLLAMA_HOST: ollama.url });
    const { json } = await gateway.get("/v1/models");
    expect(json).toMatchObject({
      object: "list",
      data: [
        { id: "gpt-oss:120b-cloud", postern: { location: "cloud", trust: "plain" } },
        {
          id: "llama3.2:latest",
          postern: { provider: "ollama", location: "local", loaded: true, context_length: 4_096 },
        },
        { id: "nomic-embed-text:v1.5", postern: { endpoints: ["embeddings"], loaded: false } },
      ],
    });
    const answer = await gateway.chat("llama3.2");
    expect(answer).toMatchObject({
      status: 200,
      headers: { "x-postern-provider": "ollama", "x-postern-model": "llama3.2" },
    });
    expect(answer.headers).not.toHaveProperty("x-postern-rewritten");
    expect((await gateway.get("/v1/models/llama3.2")).json).toMatchObject({ id: "llama3.2:latest" });
    expect(errorOf(await gateway.chat("nomic-embed-text:v1.5"))).toMatchObject({ code: "not_supported" });
  });

  it("goes on with the next provider when it goes, and comes back to it", async () => {
    const ollama = await run(ollamaStandIn());
    const far = await run(openAiStandIn([{ id: "llama3.2" }]));
    const providers = [
      { kind: "ollama", id: "near", url: ollama.url },
      { kind: "openai", id: "far", url: `${far.url}/v1` },
    ];
    const gateway = await start({ providers, aliases: { best: ["near/llama3.2", "far/llama3.2"] } });
    const who = async (): Promise<unknown> => (await gateway.chat("best")).headers["x-postern-provider"];
    expect(await who()).toBe("near");
    await ollama.stop();
    expect(await who()).toBe("far");
    await vi.waitFor(async () => expect((await gateway.get("/health")).json).toMatchObject({ counts: { asleep: 1 } }));
    expect((await gateway.get("/v1/models")).text).not.toContain("nomic");
    await ollama.start();
    await vi.waitFor(async () => expect(await who()).toBe("near"), 5_000);
  });
});

describe("a gateway before a server that is restarted", () => {
  it("lets calls wait for it a moment, and answers them all", async () => {
    const ollama = await run(ollamaStandIn());
    const gateway = await start({
      providers: [{ kind: "ollama", id: "box", url: ollama.url }],
      retry: { perProvider: 5, total: 10 },
    });
    await ollama.stop();
    const calls = Array.from({ length: 20 }, () => gateway.chat("llama3.2"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await ollama.start();
    for (const { status } of await Promise.all(calls)) expect(status).toBe(200);
  });
});

describe("a gateway with providers of several kinds", () => {
  const startAll = async (parts: object = {}, serving = "near") => {
    const [lmStudio, near, openai] = [
      lmStudioStandIn(),
      nearStandIn({ serving }),
      openAiStandIn([{ id: "zai-org/GLM-5.1-FP8" }]),
    ];
    for (const server of [lmStudio, near, openai]) await run(server);
    const providers = [
      { kind: "lm-studio", id: "studio", url: lmStudio.url },
      { kind: "near-ai", url: `${near.url}/v1`, keyEnv: "NEAR_KEY" },
      { kind: "openai", id: "other", url: `${openai.url}/v1`, keyEnv: "OTHER_KEY" },
    ];
    const env = { NEAR_KEY: "sk-near-secret", OTHER_KEY: "sk-other-secret" };
    return { near, openai, gateway: await start({ providers, ...parts }, env) };
  };

  it("says of a model that it is attested by claim only, and who has it besides", async () => {
    const { gateway } = await startAll();
    expect((await gateway.get("/v1/models/zai-org/GLM-5.1-FP8")).json).toMatchObject({
      id: "zai-org/GLM-5.1-FP8",
      object: "model",
      owned_by: "other",
      postern: {
        provider: "other", // on this machine, so it is asked first
        trust: "plain",
        also_at: [{ provider: "near", trust: "attested", attestation: "claimed", context_length: 131_072 }],
      },
    });
    const escaped = await gateway.get(`/v1/models/${encodeURIComponent("other/zai-org/GLM-5.1-FP8")}`);
    expect(escaped.json).toMatchObject({ id: "zai-org/GLM-5.1-FP8" });
    const absent = await gateway.get("/v1/models/gpt-9");
    expect(absent).toMatchObject({ status: 404, json: { error: { code: "model_not_found", param: "model" } } });
  });

  it("asks each with its own key, and never with the client's", async () => {
    const { gateway, near, openai } = await startAll();
    await gateway.chat("near/zai-org/GLM-5.1-FP8", { authorization: "Bearer sk-client" });
    await gateway.chat("other/zai-org/GLM-5.1-FP8", { authorization: "Bearer sk-client" });
    expect(near.requests.at(-1)?.headers).toMatchObject({
      authorization: "Bearer sk-near-secret",
      "x-no-aliasing": "true",
    });
    expect(openai.requests.at(-1)?.headers).toMatchObject({ authorization: "Bearer sk-other-secret" });
    expect(openai.requests.at(-1)?.headers).not.toHaveProperty("x-no-aliasing");
    expect(JSON.stringify(gateway.log.events)).not.toContain("secret");
    expect((await gateway.get("/health")).text).not.toContain("secret");
  });

  it("lets nobody answer whom the privacy rule forbids, nor an answer pass that no TEE gave", async () => {
    const allowed = await startAll({ privacy: "local-or-attested" });
    const good = await allowed.gateway.chat("zai-org/GLM-5.1-FP8");
    expect(good).toMatchObject({ status: 200, headers: { "x-postern-provider": "near" } });
    expect((await allowed.gateway.get("/v1/models")).text).not.toContain('"other"');

    const relayed = await startAll({ privacy: "local-or-attested" }, "non-attested");
    const refused = await relayed.gateway.chat("zai-org/GLM-5.1-FP8");
    expect(refused.status).toBe(502);
    expect(refused.text).not.toContain("Hello.");
    expect(relayed.openai.requests.some(({ line }) => line.startsWith("POST"))).toBe(false);

    const own = await startAll({ privacy: "local" });
    expect(errorOf(await own.gateway.chat("zai-org/GLM-5.1-FP8"))).toMatchObject({ code: "privacy_rule" });
    expect((await own.gateway.get("/v1/models")).json).toMatchObject({
      data: [{ id: "qwen/qwen3-4b" }, { id: "text-embedding-nomic-embed-text-v1.5" }],
    });
  });

  it("takes up new settings with the next call, and drops none that is under way", async () => {
    const { gateway, openai } = await startAll();
    const providers = [{ kind: "openai", id: "renamed", url: `${openai.url}/v1` }];
    const calls = Array.from({ length: 20 }, () => gateway.chat("other/zai-org/GLM-5.1-FP8"));
    gateway.follow({ providers, aliases: { best: ["zai-org/GLM-5.1-FP8"] } });
    for (const { status } of await Promise.all(calls)) expect([200, 404]).toContain(status);
    await vi.waitFor(async () => expect((await gateway.get("/health")).json).toMatchObject({ counts: { up: 1 } }));
    const answer = await gateway.chat("best");
    expect(answer.headers).toMatchObject({ "x-postern-provider": "renamed", "x-postern-rewritten": "model" });
    expect((await gateway.get("/v1/models/best")).json).toMatchObject({
      owned_by: "postern",
      postern: { alias_for: ["zai-org/GLM-5.1-FP8"] },
    });
  });
});

describe("what is told of providers", () => {
  it("is on this machine who they are and how they fare, and in public numbers only", async () => {
    const server = await run(openAiStandIn());
    const providers = [
      { kind: "openai", id: "api", url: `${server.url}/v1` },
      { kind: "openai", id: "gone", url: "http://127.0.0.1:9/v1" },
      { kind: "near-ai", id: "keyless" },
    ];
    const gateway = await start({ providers });
    await gateway.chat("gpt-4o-mini");
    expect((await gateway.get("/health")).json).toEqual({
      status: "ok",
      tee: "none",
      counts: { up: 1, asleep: 1, "refused-key": 0, broken: 1 },
      providers: [
        {
          id: "api",
          kind: "openai",
          state: "up",
          since: expect.stringMatching(/^20..-..-..T/) as string,
          location: "local",
          trust: "plain",
          models: 2,
          outstanding: 0,
          first_byte_ms: expect.any(Number) as number,
          breaker: { state: "closed", retry_in_ms: 0 },
        },
        expect.objectContaining({ id: "gone", state: "asleep", models: 0 }) as object,
        expect.objectContaining({
          id: "keyless",
          state: "broken",
          reason: expect.stringContaining("keyEnv") as string,
        }) as object,
      ],
    });
    const open = await gateway.get("/health", "public");
    expect(open.json).toEqual({ status: "ok", tee: "none", counts: { up: 1, asleep: 1, "refused-key": 0, broken: 1 } });
  });

  it("is that nobody can answer when nobody is there", async () => {
    const gateway = await start({});
    expect((await gateway.get("/health")).json).toMatchObject({ status: "no_provider", providers: [] });
    expect(errorOf(await gateway.chat("m"))).toMatchObject({ code: "model_not_found" });
  });

  it("is that a gateway is no provider of itself, whatever its settings say", async () => {
    const gateway = await start({});
    const url = `http://localhost:${gateway.port}`;
    gateway.follow({
      providers: [
        { kind: "ollama", id: "self", url },
        { kind: "openai", id: "me", url: `${url}/v1` },
      ],
    });
    const reason = "Its url leads back to this gateway.";
    await vi.waitFor(async () =>
      expect((await gateway.get("/health")).json).toMatchObject({
        providers: [
          { id: "self", state: "broken", reason },
          { id: "me", state: "broken", reason },
        ],
      }),
    );
  });

  it("is to a key only what it may use", async () => {
    const ollama = await run(ollamaStandIn());
    const providers = [{ kind: "ollama", id: "box", url: ollama.url }];
    const gateway = await start({ providers, keys: { public: "required" } });
    const key = gateway.keyFor(["llama*", "box/nomic*"]);
    const { json } = await gateway.get("/v1/models", "public", key);
    expect(json).toMatchObject({ data: [{ id: "llama3.2:latest" }, { id: "nomic-embed-text:v1.5" }] });
    expect((await gateway.get("/v1/models/gpt-oss:120b-cloud", "public", key)).status).toBe(404);
    expect((await gateway.get("/v1/models", "public")).status).toBe(401);
  });

  it("is a target that this node is itself, by any of its names", async () => {
    const server = await run(openAiStandIn());
    const gateway = await start({
      providers: [{ kind: "openai", id: "api", url: `${server.url}/v1`, trust: "local" }],
    });
    for (const name of ["alice", "alice.postern.test", "AB".repeat(32)])
      expect((await gateway.chat("gpt-4o-mini", { "x-target-node": name })).status).toBe(200);
    expect(errorOf(await gateway.chat("gpt-4o-mini", { "x-target-node": "bob" }))).toMatchObject({
      code: "target_not_found",
    });
  });
});
