/** A gateway before a server with OpenAI's API (`cloud`) and an Ollama (`box`), and Ollama's own client before it. */
import { Ollama } from "ollama";
import { systemClock } from "../../../../shared/clock.ts";
import { createGateway } from "../../../../tee-bot/gateway/gateway.ts";
import { gatewaySettingsSchema } from "../../../../tee-bot/gateway/settings.ts";
import { listenLocal } from "../../../../tee-bot/server/listen-local.ts";
import { createLocalHttp } from "../../../../tee-bot/server/local-http.ts";
import { startOllama, type OllamaUpstream } from "../../../support/models/ollama-calls.ts";
import { startUpstream, type Upstream } from "../../../support/upstream/upstream.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { recordingLog } from "../../support/log.ts";

export interface OllamaWorld extends AsyncDisposable {
  readonly cloud: Upstream;
  readonly box: OllamaUpstream;
  readonly client: Ollama;
  readonly origin: string;
  /** What the provider was asked last, parsed. */
  lastBody(upstream: Upstream): Record<string, unknown>;
}

export async function startOllamaWorld(settings: object = {}): Promise<OllamaWorld> {
  const stack = new AsyncDisposableStack();
  const cloud = stack.use(await startUpstream());
  const box = stack.use(await startOllama());
  const gateway = stack.use(
    createGateway({
      settings: gatewaySettingsSchema.parse({
        discovery: { ollama: "off", lmStudio: "off" },
        embedded: { demo: false },
        providers: [
          { kind: "openai", id: "cloud", url: cloud.baseUrl },
          { kind: "ollama", id: "box", url: box.origin },
        ],
        aliases: { house: ["box/llama3.2"] },
        ...settings,
      }),
      directory: stack.use(temporaryFolder()).path,
      clock: systemClock,
      random: () => 0,
      log: recordingLog(),
      health: () => ({ status: "healthy", tee: "none", hostnames: [], steps: [] }),
    }),
  );
  const { port } = stack.use(await listenLocal(createLocalHttp(gateway.handler("local")), 0, "test"));
  await gateway.ready;
  const origin = `http://127.0.0.1:${port}`;
  return {
    cloud,
    box,
    origin,
    client: new Ollama({ host: origin }),
    lastBody: ({ requests }) => JSON.parse(requests.at(-1)?.body.toString() ?? "null") as Record<string, unknown>,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
