import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { ProviderManager } from "../../../../tee-bot/gateway/providers/manager.ts";
import type { Member } from "../../../../tee-bot/gateway/providers/member.ts";
import { gatewaySettingsSchema, type GatewaySettings } from "../../../../tee-bot/gateway/settings.ts";
import { lmStudioStandIn } from "../../../support/models/lm-studio.ts";
import { ollamaStandIn } from "../../../support/models/ollama.ts";
import { openAiStandIn } from "../../../support/models/openai.ts";
import type { ModelServer } from "../../../support/models/stand-in.ts";
import { recordingLog } from "../../support/log.ts";

let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

const discovery = { ollama: "off", lmStudio: "off", everySeconds: 0.2 };
const settingsOf = (parts: object = {}): GatewaySettings => gatewaySettingsSchema.parse({ discovery, ...parts });

function create(env: Record<string, string> = {}) {
  const log = recordingLog();
  const manager = stack.use(new ProviderManager({ clock: systemClock, random: Math.random, log, env }));
  const events = (): string[] => log.events.filter(({ level }) => level !== "debug").map(({ event }) => event);
  const member = (id: string): Member => {
    const found = manager.members.find(({ provider }) => provider.id === id);
    if (!found) throw new Error(`no provider ${id}`);
    return found;
  };
  return { manager, log, events, member };
}

const start = async (server: ModelServer): Promise<ModelServer> => stack.use(await server.start());
const openai = (server: ModelServer, more: object = {}) => ({
  kind: "openai",
  id: "api",
  url: `${server.url}/v1`,
  trust: "local",
  ...more,
});

async function post(member: Member): Promise<number> {
  const { dispatcher, basePath } = member.provider.upstream;
  const { statusCode, body } = await dispatcher.request({
    path: `${basePath}/chat/completions`,
    method: "POST",
    body: "{}",
  });
  await body.dump();
  return statusCode;
}

describe("the providers of a node", () => {
  it("know their models after the first look, without being asked again", async () => {
    const server = await start(openAiStandIn());
    const { manager, member, log } = create();
    await manager.follow(settingsOf({ providers: [openai(server)] }));
    expect(member("api").standing.state).toBe("up");
    expect(member("api").models.map(({ id }) => id)).toEqual(["gpt-4o-mini", "Qwen/Qwen3-8B"]);
    expect(log.events).toContainEqual({
      level: "info",
      event: "provider.found",
      fields: { provider: "api", state: "up", reason: undefined, models: 2 },
    });
  });

  it("find an Ollama and an LM Studio that are on this machine", async () => {
    const ollama = await start(ollamaStandIn());
    const lmStudio = await start(lmStudioStandIn());
    const { manager, member } = create({ OLLAMA_HOST: ollama.url });
    const found = { kind: "lm-studio", id: "lm-studio", url: lmStudio.url };
    await manager.follow(settingsOf({ discovery: { ...discovery, ollama: "auto" }, providers: [found] }));
    expect(member("ollama").standing.state).toBe("up");
    expect(member("lm-studio").standing.state).toBe("up");
  });

  it("are looked at again and again, and tell what has changed", async () => {
    const models = [{ id: "one" }];
    const server = await start(openAiStandIn(models));
    const { manager, member } = create();
    await manager.follow(settingsOf({ providers: [openai(server)] }));
    const { version } = manager;
    await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(2));
    expect(manager.version).toBe(version);
    models.push({ id: "two" });
    await vi.waitFor(() => expect(member("api").models).toHaveLength(2));
    expect(manager.version).toBeGreaterThan(version);
  });

  it("are asleep when they go, which is told once, and found again when they are back", async () => {
    const server = await start(openAiStandIn());
    const { manager, member, events } = create();
    await manager.follow(settingsOf({ providers: [openai(server)] }));
    await server.stop();
    await vi.waitFor(() => expect(member("api").standing.state).toBe("asleep"), 3_000);
    const { since } = member("api").standing;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(member("api").standing.since).toBe(since);
    expect(member("api").models).toHaveLength(2);
    await server.start();
    await vi.waitFor(() => expect(member("api").standing.state).toBe("up"), 3_000);
    expect(events()).toEqual(["provider.found", "provider.slept", "provider.found"]);
  });

  it("are asleep at once for a call that finds nobody listening", async () => {
    const server = await start(openAiStandIn());
    const { manager, member } = create();
    await manager.follow(settingsOf({ discovery: { ...discovery, everySeconds: 3_600 }, providers: [openai(server)] }));
    await server.stop();
    expect(member("api").standing.state).toBe("up");
    await expect(post(member("api"))).rejects.toThrow("ECONNREFUSED");
    expect(member("api").standing.state).toBe("asleep");
    await server.start();
    await vi.waitFor(() => expect(member("api").standing.state).toBe("up"), 3_000); // long before its interval
  });

  it("start anew with their breaker when they are back", async () => {
    const server = await start(openAiStandIn());
    const { manager, member } = create();
    await manager.follow(settingsOf({ providers: [openai(server)] }));
    await server.stop();
    for (let failure = 0; failure < 3; failure++) member("api").attempts.admit()?.failed();
    expect(member("api").attempts.breaker.state).toBe("open");
    await vi.waitFor(() => expect(member("api").standing.state).toBe("asleep"), 3_000);
    await server.start();
    await vi.waitFor(() => expect(member("api").standing.state).toBe("up"), 3_000);
    expect(member("api").attempts.breaker.state).toBe("closed");
  });

  it("of which one is misconfigured are the others all the same", async () => {
    const server = await start(openAiStandIn());
    const { manager, events } = create();
    const providers = [
      openai(server),
      openai(server, { id: "keyless", keyEnv: "MISSING_KEY" }),
      openai(server, { id: "query", url: `${server.url}/v1?a=b` }),
      { kind: "near-ai", id: "near" },
    ];
    const settings = settingsOf({ providers });
    await manager.follow(settings);
    expect(manager.members.map(({ provider }) => provider.id)).toEqual(["api"]);
    expect(manager.misfits).toMatchObject([
      { id: "keyless", kind: "openai", reason: expect.stringContaining("MISSING_KEY") as string },
      { id: "query", kind: "openai", reason: expect.stringContaining("query") as string },
      { id: "near", kind: "near-ai", reason: expect.stringContaining("keyEnv") as string },
    ]);
    await manager.follow(settings);
    expect(events().filter((event) => event === "provider.failed")).toHaveLength(3);
  });

  it("say that their key was refused, and never what it is", async () => {
    const server = await start(openAiStandIn());
    server.fault = "refused";
    const { manager, member, log } = create({ API_KEY: "sk-very-secret" });
    await manager.follow(settingsOf({ providers: [openai(server, { keyEnv: "API_KEY" })] }));
    expect(member("api").standing).toMatchObject({
      state: "refused-key",
      reason: expect.stringContaining("401") as string,
    });
    expect(JSON.stringify(log.events)).not.toContain("secret");
  });
});

describe("new settings", () => {
  it("leave a provider as it is that they do not change", async () => {
    const server = await start(openAiStandIn());
    const { manager, member } = create();
    await manager.follow(settingsOf({ providers: [openai(server)] }));
    const before = member("api");
    const requests = server.requests.length;
    await manager.follow(settingsOf({ providers: [openai(server)], strategy: "load-balance" }));
    expect(member("api")).toBe(before);
    expect(server.requests.length).toBeLessThanOrEqual(requests + 1);
  });

  it("bring and take providers, and let calls end that are under way", async () => {
    const server = await start(openAiStandIn());
    const { manager, member, events } = create();
    await manager.follow(settingsOf({ providers: [openai(server)] }));
    const held = member("api");
    using permit = held.attempts.admit();
    expect(permit).toBeDefined();
    await manager.follow(settingsOf({ providers: [openai(server, { id: "other" })] }));
    expect(manager.members.map(({ provider }) => provider.id)).toEqual(["other"]);
    expect(await post(held)).toBe(200);
    expect(events()).toEqual(["provider.found", "provider.dropped", "provider.found"]);
  });

  it("are read together with keys that may have changed", async () => {
    const server = await start(openAiStandIn());
    const env: Record<string, string> = { API_KEY: "first" };
    const { manager, member } = create(env);
    const settings = settingsOf({ providers: [openai(server, { keyEnv: "API_KEY" })] });
    await manager.follow(settings);
    env["API_KEY"] = "second";
    await manager.follow(settings);
    expect(member("api").provider.upstream.headers).toEqual(["authorization", "Bearer second"]);
    delete env["API_KEY"];
    await manager.follow(settings);
    expect(manager.members).toEqual([]);
    env["API_KEY"] = "third";
    await manager.follow(settings);
    expect(manager.misfits).toEqual([]);
    expect(member("api").standing.state).toBe("up");
  });
});

describe("a node that stops", () => {
  it("looks at nothing any more, and keeps no connection", async () => {
    const server = await start(openAiStandIn());
    const { manager, member } = create();
    await manager.follow(settingsOf({ providers: [openai(server)] }));
    const held = member("api");
    await manager[Symbol.asyncDispose]();
    const asked = server.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(server.requests.length).toBe(asked);
    await expect(post(held)).rejects.toThrow();
    expect(manager.members).toEqual([]);
  });
});
