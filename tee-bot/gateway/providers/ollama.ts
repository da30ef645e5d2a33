/**
 * Ollama, whose native API says more of its models than the one it shares with OpenAI: what is loaded, and with what
 * context. Its `/v1` ignores a context size in the request and cuts longer prompts silently (ollama#18107), so the one
 * it runs with is worth saying.
 */
import { z } from "zod";
import { decidePlace } from "./own-machine.ts";
import type { Ask, HttpProviderSpec } from "./http-provider.ts";
import { ProviderError, type ProviderModel } from "./provider.ts";
import { known, modelName, positive, readListing, text } from "./read-listing.ts";

export interface OllamaSettings {
  id: string;
  url: string;
  trust?: "local" | "plain" | undefined;
}

export function specOfOllama({ id, url, trust }: OllamaSettings, key: string | undefined): HttpProviderSpec {
  const server = url.replace(/\/+(v1\/*)?$/, ""); // as an OpenAI client would have it written
  return { id, kind: "ollama", ...decidePlace(url, trust), url: server, apiPath: "/v1", key, list: listOllama };
}

async function listOllama(ask: Ask, path: string): Promise<ProviderModel[]> {
  const [version, tags, running] = await Promise.all([
    ask(`${path}/api/version`),
    ask(`${path}/api/tags`),
    ask(`${path}/api/ps`),
  ]);
  if (!z.object({ version: z.string() }).safeParse(version).success)
    throw new ProviderError("broken", "What answers there is not an Ollama.");
  return parseOllamaModels(tags, running);
}

const listing = z.object({ models: z.array(z.unknown()).nullish() });
const names = z.array(z.string()).optional().catch(undefined);

// https://docs.ollama.com/api/tags; capabilities and context_length came with later versions
const tag = z.object({
  name: modelName,
  modified_at: text,
  size: positive,
  capabilities: names,
  remote_host: text,
  remote_model: text,
  details: z
    .object({ family: text, families: names, quantization_level: text, context_length: positive })
    .optional()
    .catch(undefined),
});

// https://docs.ollama.com/api/ps
const process = z.object({ name: modelName, context_length: positive });

export function parseOllamaModels(tags: unknown, running: unknown): ProviderModel[] {
  const { data } = listing.safeParse(tags);
  if (!data) throw new ProviderError("broken", "Its list of models is none.");
  const loaded = new Map(
    (listing.safeParse(running).data?.models ?? [])
      .map((entry) => process.safeParse(entry).data)
      .filter((entry) => entry !== undefined)
      .map(({ name, context_length }) => [name, context_length]),
  );
  return readListing(data.models ?? [], tag, (entry) => {
    const { name, modified_at, size, capabilities, details } = entry;
    const modifiedAt = Date.parse(modified_at ?? "");
    return {
      id: name,
      ...(name.endsWith(":latest") && { synonyms: [name.slice(0, -":latest".length)] }),
      ...(isForEmbeddings(entry) && { endpoints: ["embeddings"] }),
      ...(isElsewhere(entry) ? { location: "cloud", trust: "plain" } : { loaded: loaded.has(name) }),
      ...known({
        size,
        quantization: details?.quantization_level,
        family: details?.family,
        vision: capabilities?.includes("vision"),
        contextLength: loaded.get(name),
        maxContextLength: details?.context_length,
        created: Number.isNaN(modifiedAt) ? undefined : Math.floor(modifiedAt / 1_000),
      }),
    };
  });
}

function isForEmbeddings({ capabilities, details }: z.infer<typeof tag>): boolean {
  if (capabilities) return capabilities.includes("embedding") && !capabilities.includes("completion");
  return [details?.family, ...(details?.families ?? [])].some((family) => family?.endsWith("bert"));
}

/** Some models of a local Ollama run at ollama.com, which then reads every prompt. */
function isElsewhere({ name, remote_host, remote_model }: z.infer<typeof tag>): boolean {
  return remote_host !== undefined || remote_model !== undefined || /[:-]cloud$/.test(name);
}
