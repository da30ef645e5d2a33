/**
 * LM Studio. Its own API changed with its versions (0.4 has `/api/v1`, 0.3.6 and later `/api/v0`), and to a path that it
 * does not know it answers 200 with an error in the body: what is not the expected list is not there.
 */
import { z } from "zod";
import { decidePlace } from "./own-machine.ts";
import type { Ask, HttpProviderSpec } from "./http-provider.ts";
import type { OllamaSettings } from "./ollama.ts";
import { parseOpenAiModels } from "./openai.ts";
import type { ProviderModel } from "./provider.ts";
import { known, modelName, positive, readListing, text } from "./read-listing.ts";

export function specOfLmStudio({ id, url, trust }: OllamaSettings, key: string | undefined): HttpProviderSpec {
  const server = url.replace(/\/+(v1\/*)?$/, "");
  return { id, kind: "lm-studio", ...decidePlace(url, trust), url: server, apiPath: "/v1", key, list: listLmStudio };
}

async function listLmStudio(ask: Ask, path: string): Promise<ProviderModel[]> {
  return (
    parseLmStudioV1(await ask(`${path}/api/v1/models`)) ??
    parseLmStudioV0(await ask(`${path}/api/v0/models`)) ??
    parseOpenAiModels(await ask(`${path}/v1/models`))
  );
}

const entries = z.array(z.unknown());

// https://lmstudio.ai/docs/developer/rest/list
const modelV1 = z.object({
  key: modelName,
  type: text,
  publisher: text,
  architecture: text,
  quantization: z.object({ name: text }).nullish().catch(undefined),
  size_bytes: positive,
  capabilities: z.object({ vision: z.boolean() }).optional().catch(undefined),
  max_context_length: positive,
  loaded_instances: z
    .array(z.object({ id: modelName, config: z.object({ context_length: positive }).catch({}) }))
    .catch([]),
});

function parseLmStudioV1(value: unknown): ProviderModel[] | undefined {
  const { data } = z.object({ models: entries }).safeParse(value);
  if (!data) return undefined;
  return readListing(data.models, modelV1, (model) => {
    const { key, loaded_instances: instances, architecture, publisher, quantization } = model;
    // Whichever instance answers, this much it takes in.
    const contexts = instances.map(({ config }) => config.context_length).filter((length) => length !== undefined);
    const others = instances.map(({ id }) => id).filter((id) => id !== key);
    return {
      id: key,
      ...(others.length > 0 && { synonyms: others }),
      ...endpointsOf(model.type),
      loaded: instances.length > 0,
      ...known({
        contextLength: contexts.length > 0 ? Math.min(...contexts) : undefined,
        maxContextLength: model.max_context_length,
        size: model.size_bytes,
        quantization: quantization?.name,
        family: architecture,
        vision: model.capabilities?.vision,
        ownedBy: publisher,
      }),
    };
  });
}

// https://lmstudio.ai/docs/api/rest-api
const modelV0 = z.object({
  id: modelName,
  type: text,
  publisher: text,
  arch: text,
  quantization: text,
  state: text,
  max_context_length: positive,
  loaded_context_length: positive,
});

function parseLmStudioV0(value: unknown): ProviderModel[] | undefined {
  const { data } = z.object({ data: entries }).safeParse(value);
  if (!data) return undefined;
  return readListing(data.data, modelV0, (model) => ({
    id: model.id,
    ...endpointsOf(model.type),
    loaded: model.state === "loaded",
    ...known({
      contextLength: model.loaded_context_length,
      maxContextLength: model.max_context_length,
      quantization: model.quantization,
      family: model.arch,
      vision: model.type === undefined ? undefined : model.type === "vlm",
      ownedBy: model.publisher,
    }),
  }));
}

function endpointsOf(type: string | undefined): Pick<ProviderModel, "endpoints"> {
  if (type === "embedding" || type === "embeddings") return { endpoints: ["embeddings"] };
  return type === undefined ? {} : { endpoints: ["chat", "completions", "responses"] };
}
