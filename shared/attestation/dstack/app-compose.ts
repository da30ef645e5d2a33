/** The text that says what an application is: dstack's app-compose.json, with a Docker Compose file in it. */
import { z } from "zod";
import { toHex } from "../../hex.ts";
import { parseJson } from "../../parse-json.ts";
import { parseComposeYaml } from "./compose-yaml.ts";
import { rejected } from "../rejected.ts";

/** dstack takes no longer ones. */
export const maxComposeLength = 256 * 1024;
const maxServices = 128;

/** SHA-256 of the exact text, hex: parsed and written anew, JSON is other bytes. */
export async function hashCompose(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

export interface ComposeImage {
  readonly service: string;
  /** As it is written; undefined for a service that has none of its own. */
  readonly image: string | undefined;
  /** `sha256:…`; undefined for one that goes by a tag, is built where it runs, or extends another. */
  readonly digest: string | undefined;
}

export interface AppCompose {
  readonly images: readonly ComposeImage[];
  /** A script of the operator runs beside the images and could fetch more. */
  readonly hasScript: boolean;
  /** Other files belong to it, which nobody has measured. */
  readonly includesOthers: boolean;
}

/** Reads a text whose hash is the measured one. Throws `evidence-rejected` when it is not one whose images can be told. */
export function parseAppCompose(text: string): AppCompose {
  const app = appSchema.safeParse(text.length > maxComposeLength ? undefined : parseJson(text));
  if (!app.success) throw rejected("The compose text does not say what runs in the form of Docker Compose.");
  const { docker_compose_file, pre_launch_script, init_script } = app.data;
  const services = servicesSchema.safeParse(parseComposeYaml(docker_compose_file));
  if (!services.success) throw rejected("The compose text has no Docker Compose file with services.");
  const images = Object.entries(services.data.services).map(([service, { image, build, extends: base }]) => {
    const isWhole = image !== undefined && build === undefined && base === undefined;
    return { service, image, digest: isWhole ? /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1] : undefined };
  });
  if (images.length > maxServices) throw rejected(`The Docker Compose file has more than ${maxServices} services.`);
  const hasScript = [pre_launch_script, init_script].some((script) => script !== undefined && script.length > 0);
  return { images, hasScript, includesOthers: services.data.include !== undefined };
}

/** The key provider that the text asks for, hex; empty where any will do, and in texts that are none. */
export function readKeyProviderId(text: string): string {
  return providerSchema.safeParse(parseJson(text)).data?.key_provider_id.toLowerCase() ?? "";
}

const providerSchema = z.object({ key_provider_id: z.string().regex(/^(?:[0-9a-f]{2})*$/i) });

const appSchema = z.object({
  runner: z.literal("docker-compose"), // another one would not look at the file below
  docker_compose_file: z.string().max(maxComposeLength),
  pre_launch_script: z
    .string()
    .nullish()
    .transform((script) => script ?? undefined),
  init_script: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .transform((script) => script ?? undefined),
});

const servicesSchema = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string().max(1024).optional(),
      build: z.unknown().optional(),
      extends: z.unknown().optional(),
    }),
  ),
  include: z.unknown().optional(),
});
