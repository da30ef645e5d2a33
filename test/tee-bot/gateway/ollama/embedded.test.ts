/** The whole way with Ollama's own client: gateway, engine as a process, the demo model. */
import { Ollama } from "ollama";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../../../../shared/clock.ts";
import { createGateway } from "../../../../tee-bot/gateway/gateway.ts";
import { openEmbedded } from "../../../../tee-bot/gateway/providers/embedded.ts";
import { gatewaySettingsSchema } from "../../../../tee-bot/gateway/settings.ts";
import { listenLocal } from "../../../../tee-bot/server/listen-local.ts";
import { createLocalHttp } from "../../../../tee-bot/server/local-http.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { busyMs } from "../../../support/engine/running-engine.ts";
import { recordingLog } from "../../support/log.ts";

const stack = new AsyncDisposableStack();
const log = recordingLog();
const question = { role: "user", content: "What is a TEE?" };
const options = { temperature: 0, top_k: 1 };
let client: Ollama;

beforeAll(async () => {
  const gateway = stack.use(
    createGateway({
      settings: gatewaySettingsSchema.parse({ discovery: { ollama: "off", lmStudio: "off" } }),
      directory: stack.use(temporaryFolder()).path,
      clock: systemClock,
      random: Math.random,
      log,
      health: () => ({ status: "healthy", tee: "none", hostnames: [], steps: [] }),
      openEmbedded: (settings) => openEmbedded(settings, { clock: systemClock, log }),
    }),
  );
  const { port } = stack.use(await listenLocal(createLocalHttp(gateway.handler("local")), 0, "gateway"));
  await gateway.ready;
  client = new Ollama({ host: `http://127.0.0.1:${port}` });
}, busyMs);
afterAll(() => stack.disposeAsync());

it(
  "the demo model answers Ollama's client with real tokens, the same whole and as a stream",
  async () => {
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual(["postern-demo"]);
    expect((await client.show({ model: "postern-demo" })).capabilities).toEqual(["completion"]);
    const whole = await client.chat({ model: "postern-demo", messages: [question], options });
    expect(whole.message.content).toContain("A TEE is a part of the processor that keeps code and data secret");
    expect(whole).toMatchObject({ done: true, done_reason: "stop" });
    let text = "";
    let count = 0;
    for await (const part of await client.chat({
      model: "postern-demo:latest",
      messages: [question],
      options,
      stream: true,
    })) {
      text += part.message.content;
      count = part.eval_count;
    }
    expect(text).toBe(whole.message.content);
    expect(count).toBe(whole.eval_count);
    const short = await client.generate({
      model: "postern-demo",
      prompt: question.content,
      options: { ...options, num_predict: 3 },
    });
    expect(short).toMatchObject({ done_reason: "length", eval_count: 3 });
  },
  busyMs,
);
