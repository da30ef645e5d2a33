/** Models that run in a process of this node: the demo model, and any GGUF file of the settings. */
import type { Socket } from "node:net";
import { basename, resolve } from "node:path";
import { Pool, type buildConnector } from "undici";
import type { Clock } from "../../../shared/clock.ts";
import { errorText } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { demoModel } from "../../engine/demo-model.ts";
import { readGguf } from "../../engine/gguf/read-gguf.ts";
import { decideContextSize, type EngineModel } from "../../engine/messages.ts";
import { EngineProcess } from "../../engine/process/engine-process.ts";
import { findObstacle } from "../../engine/process/support.ts";
import type { GatewaySettings } from "../settings.ts";
import { ProviderError, type Provider, type ProviderModel } from "./provider.ts";

/** A connection costs next to nothing, and the engine can be stopped when there is none. */
const keepAliveMs = 1_000;

export interface EmbeddedOptions {
  clock: Clock;
  log: Log;
  /** Why this installation cannot run models; for tests. */
  obstacle?: string | undefined;
}

/** Starts nothing: the engine starts with the first call. */
export function openEmbedded(
  { demo, models: files, idleSeconds }: GatewaySettings["embedded"],
  { clock, log, obstacle = findObstacle() }: EmbeddedOptions,
): Provider {
  const models = [...files.map(engineModelOf), ...(demo ? [{ ...demoModel, contextSize: undefined }] : [])];
  const engine = new EngineProcess({ models, idleMs: idleSeconds * 1_000, clock, log });
  const origin = "http://engine.local";
  const pool = new Pool(origin, {
    connections: null,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    connect: (_options, callback) => void connectTo(engine, callback),
  });
  const told = new Set<string>();
  return {
    id: "embedded",
    kind: "embedded",
    location: "local",
    trust: "local",
    upstream: { dispatcher: pool, origin, basePath: "/v1", headers: [] },
    async fetchModels(signal) {
      const trouble = obstacle ?? engine.trouble;
      if (trouble !== undefined) throw new ProviderError("broken", trouble);
      signal.throwIfAborted();
      const { good, bad } = await surveyModels(models, engine.loaded);
      if (good.length === 0) throw new ProviderError("broken", bad.join(" "));
      for (const reason of bad) if (!told.has(reason)) log.warn("model.refused", { reason });
      for (const reason of bad) told.add(reason);
      return good;
    },
    async [Symbol.asyncDispose]() {
      await pool.destroy();
      await engine[Symbol.asyncDispose]();
    },
  };
}

async function connectTo(engine: EngineProcess, callback: buildConnector.Callback): Promise<void> {
  let socket: Socket;
  try {
    socket = await engine.connect();
  } catch (error) {
    return callback(error as Error, null);
  }
  callback(null, socket);
}

type ModelFile = GatewaySettings["embedded"]["models"][number];

function engineModelOf({ id, path, contextSize }: ModelFile): EngineModel {
  return { id: id ?? basename(path).replace(/\.gguf$/i, ""), path: resolve(path), contextSize };
}

/** What each file says of its model; of those that cannot be used, why. Of two with one id the first counts. */
async function surveyModels(
  models: readonly EngineModel[],
  loaded: ReadonlySet<string>,
): Promise<{ good: ProviderModel[]; bad: string[] }> {
  const good: ProviderModel[] = [];
  const bad: string[] = [];
  for (const [at, model] of models.entries()) {
    const { id, path } = model;
    try {
      if (models.findIndex((other) => other.id === id) < at) throw new Error(`Another one has the name ${id}, too.`);
      good.push(await describe(model, loaded.has(id)));
    } catch (error) {
      bad.push(`The model at ${path} cannot be used. ${errorText(error)}`);
    }
  }
  return { good, bad };
}

async function describe({ id, path, contextSize }: EngineModel, loaded: boolean): Promise<ProviderModel> {
  const file = await readGguf(path);
  return {
    id,
    endpoints: file.embeds ? ["embeddings"] : ["chat", "completions"],
    loaded,
    vision: false,
    contextLength: decideContextSize(contextSize, file.contextLength),
    created: file.modified,
    ownedBy: path === demoModel.path ? "postern" : "local",
    size: file.bytes,
    ...(file.quantization !== undefined && { quantization: file.quantization }),
    family: file.architecture,
    ...(file.description !== undefined && { description: file.description }),
    ...(path === demoModel.path && { demo: true }),
  };
}
