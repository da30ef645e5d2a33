/** Anything that speaks OpenAI's API: llama-server, vLLM, OpenRouter, OpenAI itself. */
import { z } from "zod";
import { isLoopbackUrl } from "../../../shared/loopback.ts";
import type { ProviderSettings } from "../settings.ts";
import type { Ask, HttpProviderSpec } from "./http-provider.ts";
import { ProviderError, type ProviderModel } from "./provider.ts";
import { known, modelName, positive, readListing, text } from "./read-listing.ts";

export function specOfOpenAi(
  { id, url, trust, models }: Extract<ProviderSettings, { kind: "openai" }>,
  key: string | undefined,
): HttpProviderSpec {
  const isHere = trust === "local" || isLoopbackUrl(new URL(url));
  return {
    id,
    kind: "openai",
    location: isHere ? "local" : "cloud",
    trust,
    url,
    apiPath: "",
    key,
    list: (ask, path) => listOpenAi(ask, path, models),
  };
}

/** `wanted`: the models to offer; whether the provider lists them or not, since some list nothing. */
async function listOpenAi(ask: Ask, path: string, wanted: readonly string[] | undefined): Promise<ProviderModel[]> {
  const listing = await ask(`${path}/models`);
  const listed = listing === undefined ? undefined : parseOpenAiModels(listing);
  if (wanted) return wanted.map((id) => listed?.find((model) => model.id === id) ?? { id });
  if (listed) return listed;
  throw new ProviderError(
    "broken",
    `It does not list models at ${path}/models. Is its url the base URL, which often ends in /v1? Or name its models.`,
  );
}

const listing = z.union([
  z.object({ data: z.array(z.unknown()) }).transform(({ data }) => data),
  z.object({ models: z.array(z.unknown()) }).transform(({ models }) => models),
  z.array(z.unknown()),
]);

const entry = z.object({
  id: modelName,
  created: positive,
  owned_by: text,
  // Not OpenAI's: OpenRouter and Groq, vLLM, llama-server say how much a model takes in.
  context_length: positive,
  context_window: positive,
  max_model_len: positive,
  meta: z.object({ n_ctx: positive, size: positive }).optional().catch(undefined),
  // OpenRouter's.
  architecture: z
    .object({ input_modalities: z.array(z.string()) })
    .optional()
    .catch(undefined),
});

/** https://platform.openai.com/docs/api-reference/models/list, and what others make of it. */
export function parseOpenAiModels(value: unknown): ProviderModel[] {
  const { data } = listing.safeParse(value);
  if (!data) throw new ProviderError("broken", "Its list of models is none.");
  return readListing(data, entry, ({ id, created, owned_by, meta, architecture, ...rest }) => ({
    id,
    ...known({
      created: created && Math.floor(created),
      ownedBy: owned_by,
      contextLength: meta?.n_ctx ?? rest.max_model_len ?? rest.context_length ?? rest.context_window,
      size: meta?.size,
      vision: architecture?.input_modalities.includes("image"),
    }),
  }));
}
