/** Models of any provider as Ollama's API describes its own. What is not known is left empty. */
import { createHash } from "node:crypto";
import type { CatalogueEntry } from "../catalogue/catalogue.ts";
import type { ProviderKind } from "../providers/provider.ts";

/** A model of `GET /api/tags`. */
export function tagOf(entry: CatalogueEntry): object {
  return {
    name: entry.id,
    model: entry.id,
    modified_at: modifiedAt(entry),
    size: entry.postern.size ?? 0,
    digest: digestOf(entry),
    details: detailsOf(entry),
  };
}

/** Nobody tells when it will leave the memory. */
const unknownEnd = "9999-12-31T23:59:59Z";

/** A model of `GET /api/ps`. */
export function runningOf(entry: CatalogueEntry): object {
  const { context_length } = entry.postern;
  return {
    ...tagOf(entry),
    expires_at: unknownEnd,
    size_vram: 0,
    ...(context_length !== undefined && { context_length }),
  };
}

/** The answer to `POST /api/show`. */
export function shownOf(entry: CatalogueEntry, kind: ProviderKind | undefined): object {
  const { family, context_length, max_context_length } = entry.postern;
  const architecture = family ?? "unknown";
  const context = context_length ?? max_context_length;
  return {
    license: "",
    modelfile: "",
    parameters: "",
    template: "",
    details: detailsOf(entry),
    model_info: {
      "general.architecture": architecture,
      "general.basename": entry.id,
      ...(context !== undefined && { [`${architecture}.context_length`]: context }),
    },
    capabilities: capabilitiesOf(entry, kind),
    modified_at: modifiedAt(entry),
  };
}

/** Tools are passed on to every provider; the embedded engine has none. */
function capabilitiesOf({ postern }: CatalogueEntry, kind: ProviderKind | undefined): string[] {
  if (postern.endpoints && !postern.endpoints.includes("chat")) return ["embedding"];
  if (kind === "embedded") return ["completion"];
  return postern.vision ? ["completion", "tools", "vision"] : ["completion", "tools"];
}

function detailsOf({ postern: { family, quantization } }: CatalogueEntry): object {
  return {
    parent_model: "",
    format: "",
    family: family ?? "",
    families: family === undefined ? [] : [family],
    parameter_size: "",
    quantization_level: quantization ?? "",
  };
}

/** Of the name, since nobody tells that of the weights; clients show its first twelve characters. */
function digestOf({ id, postern }: CatalogueEntry): string {
  return createHash("sha256").update(`${postern.provider}/${id}`).digest("hex");
}

function modifiedAt({ created }: CatalogueEntry): string {
  return new Date(created * 1_000).toISOString();
}
