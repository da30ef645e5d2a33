/** The whole way: gateway, engine as a process, the demo model. */
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { createGateway } from "../../../tee-bot/gateway/gateway.ts";
import { openEmbedded } from "../../../tee-bot/gateway/providers/embedded.ts";
import { gatewaySettingsSchema } from "../../../tee-bot/gateway/settings.ts";
import { listenLocal } from "../../../tee-bot/server/listen-local.ts";
import { createLocalHttp } from "../../../tee-bot/server/local-http.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { ask, busyMs } from "../../support/engine/running-engine.ts";
import { recordingLog } from "../support/log.ts";

const stack = new AsyncDisposableStack();
const log = recordingLog();
const off = { ollama: "off", lmStudio: "off" };
/** Never ends by itself before the context is full. */
const endless = { stream: true, temperature: 2, top_k: 0, top_p: 1, min_p: 0, logit_bias: { 2: -100 } };
let port: number;

beforeAll(async () => {
  const gateway = stack.use(
    createGateway({
      settings: gatewaySettingsSchema.parse({ discovery: off }),
      directory: stack.use(temporaryFolder()).path,
      clock: systemClock,
      random: Math.random,
      log,
      health: () => ({ status: "healthy", tee: "none", hostnames: [], steps: [] }),
      openEmbedded: (settings) => openEmbedded(settings, { clock: systemClock, log }),
    }),
  );
  const server = createLocalHttp(gateway.handler("local"));
  ({ port } = stack.use(await listenLocal(server, 0, "gateway")));
  await gateway.ready;
  await text(await call("/v1/chat/completions", ask("Hello")));
}, busyMs);
afterAll(() => stack.disposeAsync());

async function call(path: string, body?: object): Promise<IncomingMessage> {
  const request = httpRequest({ host: "127.0.0.1", port, path, method: body ? "POST" : "GET", agent: false });
  if (body) request.setHeader("content-type", "application/json");
  request.end(body && JSON.stringify(body));
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return response;
}

const enginePid = (): number => Number(log.events.findLast(({ event }) => event === "engine.started")?.fields["pid"]);

describe("a gateway with the demo model", () => {
  it("lists it as a toy that is here", async () => {
    expect(JSON.parse(await text(await call("/v1/models/postern-demo")))).toMatchObject({
      id: "postern-demo",
      owned_by: "postern",
      postern: { provider: "embedded", location: "local", trust: "local", demo: true },
    });
  });

  it("answers a chat, whole and as a stream", async () => {
    const whole = await call("/v1/chat/completions", ask("What is a TEE?"));
    expect(whole.headers["x-postern-provider"]).toBe("embedded");
    expect(await text(whole)).toContain("A TEE is a part of the processor that keeps code and data secret");
    const stream = await text(await call("/v1/chat/completions", ask("What is a TEE?", { stream: true })));
    expect(stream.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  it("passes the engine's own refusals on", async () => {
    const refused = await call("/v1/chat/completions", ask("x ".repeat(2_000)));
    expect([refused.statusCode, await text(refused)]).toEqual([
      400,
      expect.stringContaining("context_length_exceeded"),
    ]);
  });

  it("has the engine free again when clients leave, however long their answers would have been", async () => {
    const streams = [1, 2].map(() => call("/v1/chat/completions", ask("Tell me a story.", endless)));
    for (const stream of await Promise.all(streams)) {
      await once(stream, "data");
      stream.destroy();
    }
    // Both of the engine's sequences were busy.
    expect(await text(await call("/v1/chat/completions", ask("What is a TEE?")))).toContain("A TEE is");
  });

  it(
    "ends a stream with an error when the engine is killed, and answers the next call",
    async () => {
      const stream = await call("/v1/chat/completions", ask("Tell me a story.", endless));
      const [first] = (await once(stream, "data")) as [Buffer];
      process.kill(enginePid(), "SIGKILL");
      const said = String(first) + (await text(stream));
      const last =
        said
          .trim()
          .split("\n\n")
          .at(-1)
          ?.replace(/^data: /, "") ?? "";
      expect(JSON.parse(last)).toMatchObject({ error: { type: "upstream_error" } });
      expect(await text(await call("/v1/chat/completions", ask("What is a TEE?")))).toContain("A TEE is");
    },
    busyMs,
  );
});
