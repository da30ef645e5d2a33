import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { silentLog, type LogFields } from "../../../../shared/log.ts";
import { openEmbedded, type EmbeddedOptions } from "../../../../tee-bot/gateway/providers/embedded.ts";
import { ProviderError, type Provider } from "../../../../tee-bot/gateway/providers/provider.ts";
import { gatewaySettingsSchema, type GatewaySettings } from "../../../../tee-bot/gateway/settings.ts";
import { describeProvider } from "../../../gateway/provider-behaviour.ts";
import { ask, busyMs } from "../../../support/engine/running-engine.ts";

const never = new AbortController().signal;

let directory: string;
let provider: Provider | undefined;
let logged: [event: string, fields?: LogFields][];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "postern-embedded-test-"));
  logged = [];
});
afterEach(async () => {
  await provider?.[Symbol.asyncDispose]();
  provider = undefined;
  rmSync(directory, { recursive: true });
});

function open(embedded: Partial<GatewaySettings["embedded"]> = {}, options: Partial<EmbeddedOptions> = {}): Provider {
  const note = (event: string, fields?: LogFields): void =>
    void logged.push([event, ...(fields ? [fields] : [])] as never);
  const log = { ...silentLog, info: note, warn: note };
  const settings = gatewaySettingsSchema.parse({ embedded }).embedded;
  provider = openEmbedded(settings, { clock: systemClock, log, ...options });
  return provider;
}

async function chat(content: string, more: object = {}): Promise<{ status: number; body: string }> {
  const { dispatcher, origin, basePath } = (provider as Provider).upstream;
  const { statusCode, body } = await dispatcher.request({
    origin,
    path: `${basePath}/chat/completions`,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(ask(content, more)),
  });
  return { status: statusCode, body: await text(body) };
}

const events = (name: string): (LogFields | undefined)[] =>
  logged.filter(([event]) => event === name).map(([, fields]) => fields);
const enginePid = (): number => Number(events("engine.started").at(-1)?.["pid"]);
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`);

// One engine starts for each of these, so they are the slow ones.
describeProvider("embedded", () => {
  const embedded = openEmbedded(gatewaySettingsSchema.parse({}).embedded, { clock: systemClock, log: silentLog });
  const close = (): PromiseLike<void> => embedded[Symbol.asyncDispose]();
  return Promise.resolve({ provider: embedded, chatModel: "postern-demo", [Symbol.asyncDispose]: close });
});

describe("the embedded provider", () => {
  it("lists the demo model, as what it is, without starting anything", async () => {
    const [demo, ...others] = await open().fetchModels(never);
    expect(demo).toMatchObject({
      id: "postern-demo",
      demo: true,
      description: "A toy that has learnt a few sentences about Postern by heart.",
      endpoints: ["chat", "completions"],
      loaded: false,
      contextLength: 1_024,
      quantization: "Q8_0",
      family: "llama",
    });
    expect(others).toEqual([]);
    expect(events("engine.started")).toEqual([]);
  });

  it("starts the engine with the first call, and tells that the model is in memory", async () => {
    const embedded = open();
    const answers = await Promise.all(["What is a TEE?", "What is a relay?"].map((question) => chat(question)));
    for (const { status, body } of answers)
      expect([status, body]).toEqual([200, expect.stringMatching(/A TEE is|A relay/)]);
    expect(events("engine.started")).toHaveLength(1);
    expect((await embedded.fetchModels(never))[0]?.loaded).toBe(true);
  });

  it(
    "starts the engine again after it was killed, and waits after it was killed twice",
    async () => {
      const embedded = open();
      await chat("Hello");
      process.kill(enginePid(), "SIGKILL");
      await expect.poll(() => events("engine.crashed")).toHaveLength(1);
      expect((await chat("Hello")).status).toBe(200);
      process.kill(enginePid(), "SIGKILL");
      await expect.poll(() => events("engine.crashed")).toHaveLength(2);
      await expect(chat("Hello")).rejects.toThrow("failed 2 times, last with signal SIGKILL");
      await expect(embedded.fetchModels(never)).rejects.toMatchObject({ kind: "broken" });
    },
    busyMs,
  );

  it(
    "stops the engine when nobody has asked for a while, and starts it for the next",
    async () => {
      open({ idleSeconds: 0.2 });
      await chat("Hello");
      const pid = enginePid();
      await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
      expect(events("engine.crashed")).toEqual([]);
      expect((await chat("Hello")).status).toBe(200);
      expect(enginePid()).not.toBe(pid);
    },
    busyMs,
  );

  it("leaves neither process nor socket behind", async () => {
    const embedded = open();
    const sockets = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("postern-engine-"));
    const before = sockets();
    await chat("Hello");
    const pid = enginePid();
    const own = sockets().find((name) => !before.includes(name));
    await embedded[Symbol.asyncDispose]();
    expect([isAlive(pid), sockets().includes(own ?? "")]).toEqual([false, false]);
  });

  it("is closed at once while the engine starts", async () => {
    const embedded = open();
    const call = chat("Hello");
    call.catch(() => {});
    await setTimeout(20); // it has been forked
    const startedAt = performance.now();
    await embedded[Symbol.asyncDispose]();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await expect(call).rejects.toThrow();
    expect(events("engine.crashed")).toEqual([]);
  });

  it("offers models of files under their name, or the one that they were given", async () => {
    const demo = join(import.meta.dirname, "../../../../tee-bot/engine/demo/postern-demo.gguf");
    const models = [{ path: demo, id: "mine", contextSize: 256 }, { path: demo }];
    const listed = await open({ demo: false, models }).fetchModels(never);
    expect(listed.map(({ id, contextLength }) => [id, contextLength])).toEqual([
      ["mine", 256],
      ["postern-demo", 1_024],
    ]);
  });

  it("is broken when no file can be used, and says why of each", async () => {
    const random = join(directory, "random.gguf");
    writeFileSync(random, randomBytes(10_000));
    const models = [{ path: random }, { path: join(directory, "missing.gguf") }];
    const error = (await open({ demo: false, models })
      .fetchModels(never)
      .catch((caught: unknown) => caught)) as ProviderError;
    expect(error).toBeInstanceOf(ProviderError);
    expect([error.kind, error.message]).toEqual(["broken", expect.stringContaining("does not begin with GGUF")]);
    expect(error.message).toContain("missing.gguf cannot be used. There is no such file.");
  });

  it("offers the others when one file cannot be used, and tells it once", async () => {
    const embedded = open({ models: [{ path: join(directory, "missing.gguf") }] });
    for (let time = 0; time < 2; time++)
      expect((await embedded.fetchModels(never)).map(({ id }) => id)).toEqual(["postern-demo"]);
    expect(events("model.refused")).toHaveLength(1);
  });

  it("says so where the engine is not installed", async () => {
    const error = open({}, { obstacle: "The package is not installed." }).fetchModels(never);
    await expect(error).rejects.toMatchObject({ kind: "broken", message: "The package is not installed." });
  });
});
