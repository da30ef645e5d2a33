/**
 * NEAR AI Cloud. It offers models that run in TEEs beside others that it only relays; which is which its catalogue
 * says, and that is a claim until the model's evidence was looked at (near-attestor.ts). Who did answer stands in the head
 * of each answer.
 */
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import type { ProviderSettings } from "../settings.ts";
import type { EndpointName } from "../api/endpoints.ts";
import type { Ask, HttpProviderSpec } from "./http-provider.ts";
import { ProviderError, type ProviderModel } from "./provider.ts";
import { known, modelName, positive, readListing, text } from "./read-listing.ts";

const servingHeader = "x-serving-provider";
/** Those whose answers come from a TEE, by NEAR's own word; other values, and none, are not taken for it. */
const attestedServers: ReadonlySet<string> = new Set(["near", "chutes"]);
/** Whose evidence is asked for. */
const verifiedServer = "near";
const pageSize = 500;
const maxPages = 10;

export function specOfNearAi(
  { id, url, unattested }: Pick<Extract<ProviderSettings, { kind: "near-ai" }>, "id" | "url" | "unattested">,
  key: string,
): HttpProviderSpec {
  return {
    id,
    kind: "near-ai",
    location: "cloud",
    trust: "plain",
    url,
    apiPath: "",
    key,
    headers: ["x-no-aliasing", "true"], // a name that stands for another model is refused, not followed
    list: (ask, path) => listNearAi(ask, path, unattested),
    checkAttested(headers, attestation) {
      if (headers[servingHeader] === undefined) return "The answer does not say that a TEE gave it.";
      const other = findOtherServer(headers);
      return other?.kind === "relayed" || attestation === "verified" ? other?.reason : undefined;
    },
  };
}

/** Where an answer came from, as far as that is another place than the one whose evidence is verified. */
export type OtherServer =
  /** A TEE, by NEAR's word; nobody has looked. */
  { readonly kind: "unverified"; readonly reason: string } | { readonly kind: "relayed"; readonly reason: string };

/** Undefined: it is the one, or the head does not say; then its signature decides. */
export function findOtherServer({ [servingHeader]: server }: IncomingHttpHeaders): OtherServer | undefined {
  if (server === undefined || server === verifiedServer) return undefined;
  const said = `The answer came from "${String(server).slice(0, 40)}"`;
  return typeof server === "string" && attestedServers.has(server)
    ? { kind: "unverified", reason: `${said}, whose evidence was not verified.` }
    : { kind: "relayed", reason: `${said}, which is not attested.` };
}

const page = z.object({ models: z.array(z.unknown()), total: z.number().optional().catch(undefined) });
const flag = z.boolean().catch(false);
const entry = z.object({
  modelId: modelName,
  metadata: z.object({
    verifiable: flag,
    attestationSupported: flag,
    providerType: text,
    contextLength: positive,
    ownedBy: text,
    architecture: z
      .object({
        inputModalities: z.array(z.string()).optional().catch(undefined),
        outputModalities: z.array(z.string()).optional().catch(undefined),
      })
      .optional()
      .catch(undefined),
  }),
});

async function listNearAi(ask: Ask, path: string, unattested: boolean): Promise<ProviderModel[]> {
  const entries: unknown[] = [];
  for (let asked = 0; asked < maxPages; asked++) {
    const { data } = page.safeParse(await ask(`${path}/model/list?limit=${pageSize}&offset=${entries.length}`));
    if (!data) throw new ProviderError("broken", `It does not list models at ${path}/model/list.`);
    entries.push(...data.models);
    if (data.models.length === 0 || entries.length >= (data.total ?? 0)) break;
  }
  return parseNearAiModels(entries, unattested);
}

export function parseNearAiModels(entries: readonly unknown[], unattested: boolean): ProviderModel[] {
  return readListing(entries, entry, ({ modelId, metadata }) => {
    const isClaimed = metadata.verifiable && metadata.attestationSupported && metadata.providerType !== "external";
    const endpoints = endpointsOf(metadata.architecture?.outputModalities);
    if (endpoints?.length === 0 || (!isClaimed && !unattested)) return undefined;
    return {
      id: modelId,
      ...(isClaimed ? { trust: "attested", attestation: "claimed" } : { trust: "plain" }),
      ...known({
        endpoints,
        vision: metadata.architecture?.inputModalities?.includes("image"),
        contextLength: metadata.contextLength,
        ownedBy: metadata.ownedBy,
      }),
    };
  });
}

/** Of models that make pictures or write down speech none: there is no call for them here. */
function endpointsOf(outputs: readonly string[] | undefined): EndpointName[] | undefined {
  if (!outputs) return undefined;
  if (outputs.includes("text")) return ["chat", "completions", "responses"];
  return outputs.some((output) => output.startsWith("embedding")) ? ["embeddings"] : [];
}
