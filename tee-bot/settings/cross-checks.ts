/** What the schema cannot see: settings that are each good, and not together. */
import { basename } from "node:path";
import { z } from "zod";
import type { Mistake } from "./mistake.ts";

/** Sees as much as there is, so that these mistakes are told together with those of the schema. */
export function checkTogether(data: unknown): Mistake[] {
  const { gateway, signal } = glimpse.parse(data);
  return [
    ...gateway.providers.flatMap((provider, index) => checkProvider(provider, index, gateway.providers)),
    ...checkModels(gateway.embedded.models),
    ...checkAliases(gateway.aliases, gateway.providers),
    ...checkRetry(gateway.retry),
    ...checkReceive(signal.receive),
  ];
}

const text = z.string().optional().catch(undefined);
const count = z.number().optional().catch(undefined);
const providerGlimpse = z.object({ kind: text, id: text, url: text, keyEnv: text, keyFile: text }).catch({});
const modelGlimpse = z.object({ path: text, id: text }).catch({});
const aliasGlimpse = z.union([
  z.array(z.string()),
  z.object({ models: z.array(z.string()) }).transform((one) => one.models),
]);

const receiveGlimpse = z.object({ by: text, public: z.boolean().optional().catch(undefined) }).catch({});
const signalGlimpse = z.object({ receive: receiveGlimpse }).catch({ receive: {} });

const glimpse = z
  .object({
    signal: signalGlimpse,
    gateway: z
      .object({
        providers: z.array(providerGlimpse).catch([]),
        embedded: z.object({ models: z.array(modelGlimpse).catch([]) }).catch({ models: [] }),
        aliases: z.record(z.string(), aliasGlimpse.catch([])).catch({}),
        retry: z.object({ perProvider: count, total: count }).catch({}),
      })
      .catch({ providers: [], embedded: { models: [] }, aliases: {}, retry: {} }),
  })
  .catch({ gateway: { providers: [], embedded: { models: [] }, aliases: {}, retry: {} }, signal: { receive: {} } });

type ProviderGlimpse = z.infer<typeof providerGlimpse>;

/** Providers that the node finds by itself: their names are for their kind only. */
const ownedIds: Readonly<Record<string, string>> = { embedded: "embedded", ollama: "ollama", "lm-studio": "lm-studio" };

function checkProvider(provider: ProviderGlimpse, index: number, all: readonly ProviderGlimpse[]): Mistake[] {
  const at = (name: string) => ["gateway", "providers", index, name];
  const mistakes: Mistake[] = [];
  const id = idOf(provider);
  if (id !== undefined && all.findIndex((other) => idOf(other) === id) < index)
    mistakes.push({ path: at("id"), text: `another provider is called ${id} already · give each an id of its own` });
  if (id !== undefined && Object.hasOwn(ownedIds, id) && ownedIds[id] !== provider.kind)
    mistakes.push({ path: at("id"), text: `${id} is the name of what the node finds by itself · choose another id` });
  if (provider.keyEnv !== undefined && provider.keyFile !== undefined)
    mistakes.push({ path: at("keyFile"), text: "its key is given twice · keep one of keyEnv and keyFile" });
  if (provider.url !== undefined && URL.canParse(provider.url)) {
    const url = new URL(provider.url);
    if (url.protocol !== "http:" && url.protocol !== "https:")
      mistakes.push({ path: at("url"), text: "only http:// and https:// are spoken · give such a URL" });
    if (url.username !== "" || url.password !== "")
      mistakes.push({
        path: at("url"),
        text: "it has a password in it · take it out, and name the key with keyEnv or keyFile",
      });
    if (url.search !== "" || url.hash !== "")
      mistakes.push({ path: at("url"), text: "it has a query or a fragment · give the base URL only" });
  }
  return mistakes;
}

function idOf({ id, kind }: ProviderGlimpse): string | undefined {
  return id ?? (kind === "near-ai" ? "near" : undefined);
}

function checkModels(models: readonly z.infer<typeof modelGlimpse>[]): Mistake[] {
  const ids = models.map(({ id, path }) => id ?? (path === undefined ? undefined : basename(path, ".gguf")));
  return ids.flatMap((id, index) =>
    id === undefined || ids.indexOf(id) === index
      ? []
      : [
          {
            path: ["gateway", "embedded", "models", index],
            text: `another model is called ${id} · give this one an id`,
          },
        ],
  );
}

function checkAliases(
  aliases: Readonly<Record<string, readonly string[]>>,
  providers: readonly ProviderGlimpse[],
): Mistake[] {
  const ids = new Set([...Object.keys(ownedIds), ...providers.flatMap((one) => idOf(one) ?? [])]);
  return Object.entries(aliases).flatMap(([alias, models]) => {
    const path = ["gateway", "aliases", alias];
    const [prefix = ""] = alias.split("/", 1);
    const mistakes: Mistake[] = [];
    if (ids.has(prefix) && (alias === prefix || alias.includes("/")))
      mistakes.push({
        path,
        atName: true,
        text: `it hides what the provider ${prefix} has by that name · choose another name`,
      });
    if (reaches(models, alias, aliases))
      mistakes.push({ path, text: "it leads back to itself · name models, or aliases that do not need this one" });
    return mistakes;
  });
}

/** Whether `wanted` is among these names, or among those that they stand for. */
function reaches(
  names: readonly string[],
  wanted: string,
  aliases: Readonly<Record<string, readonly string[]>>,
): boolean {
  const seen = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === wanted) return true;
    if (seen.has(name) || !Object.hasOwn(aliases, name)) continue;
    seen.add(name);
    waiting.push(...(aliases[name] ?? []));
  }
  return false;
}

function checkRetry({
  perProvider,
  total,
}: {
  perProvider?: number | undefined;
  total?: number | undefined;
}): Mistake[] {
  if (perProvider === undefined || total === undefined || perProvider <= total) return [];
  const what = "one provider may be tried more often than all together";
  return [{ path: ["gateway", "retry", "perProvider"], text: `${what} · give at most the ${total} of total` }];
}

/** The public name leads to the node, which has no webhook then. */
function checkReceive(receive: z.infer<typeof receiveGlimpse>): Mistake[] {
  if (!receive.public || receive.by !== "own-process") return [];
  const path = ["signal", "receive", "public"];
  return [{ path, text: "with by: own-process the node takes in no messages · set by to node, or this to false" }];
}
