/** The text that says what an application is: dstack's app-compose.json, with a Docker Compose file in it. */
import { parse } from "yaml";
import { z } from "zod";
import { toHex } from "../../hex.ts";
import { parseJson } from "../parse-json.ts";
import { rejected } from "../rejected.ts";

export const maxComposeLength = 512 * 1024;
const maxServices = 128;

/** SHA-256 of the exact text, hex: parsed and written anew, JSON is other bytes. */
export async function hashCompose(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

export interface ComposeImage {
  readonly service: string;
  /** As it is written; undefined for a service that is built where it runs. */
  readonly image: string | undefined;
  /** `sha256:…`; undefined: whoever controls the tag chooses the code. */
  readonly digest: string | undefined;
}

export interface AppCompose {
  readonly images: readonly ComposeImage[];
  /** A script of the operator runs beside the images and could fetch more. */
  readonly hasScript: boolean;
  /** Hex; empty where any provider will do. */
  readonly keyProviderId: string;
}

/** Reads a text whose hash is the measured one. Throws `evidence-rejected` when it is not what dstack takes. */
export function parseAppCompose(text: string): AppCompose {
  const app = appSchema.safeParse(text.length > maxComposeLength ? undefined : parseJson(text));
  if (!app.success) throw rejected("The compose text is not one that dstack takes.");
  const { docker_compose_file, pre_launch_script, init_script, key_provider_id } = app.data;
  const services = servicesSchema.safeParse(parseYaml(docker_compose_file));
  if (!services.success) throw rejected("The compose text has no Docker Compose file with services.");
  if (services.data.include !== undefined)
    throw rejected("The Docker Compose file includes others, which nobody has measured.");
  const images = Object.entries(services.data.services).map(([service, { image }]) => {
    const digest = image === undefined ? undefined : /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
    return { service, image, digest };
  });
  if (images.length > maxServices) throw rejected(`The Docker Compose file has more than ${maxServices} services.`);
  const hasScript = [pre_launch_script, init_script].some((script) => script !== undefined && script.length > 0);
  return { images, hasScript, keyProviderId: key_provider_id };
}

const appSchema = z.object({
  docker_compose_file: z.string().max(maxComposeLength),
  pre_launch_script: z
    .string()
    .nullish()
    .transform((script) => script ?? undefined),
  init_script: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .transform((script) => script ?? undefined),
  key_provider_id: z
    .string()
    .regex(/^[0-9a-fA-F]*$/)
    .nullish()
    .transform((id) => (id ?? "").toLowerCase()),
});

const servicesSchema = z.object({
  services: z.record(z.string(), z.object({ image: z.string().max(1024).optional() })),
  include: z.unknown().optional(),
});

function parseYaml(text: string): unknown {
  try {
    return parse(text, { logLevel: "silent" });
  } catch {
    return undefined;
  }
}
