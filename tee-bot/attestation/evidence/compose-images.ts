import { parse } from "yaml";
import { z } from "zod";

export interface ComposeImage {
  readonly image: string;
  /** `sha256:…`; undefined where only a name says which image, and names move. */
  readonly digest?: string;
}

const appComposeSchema = z.object({ docker_compose_file: z.string() });
const composeFileSchema = z.object({ services: z.record(z.string(), z.object({ image: z.string().max(512) })) });
const digestForm = /@(sha256:[0-9a-f]{64})$/;
const maxAliases = 100;
const maxImages = 128;

/** The images that an application's compose text runs; none where it is not shown or cannot be read. */
export function composeImages(appCompose: string | undefined): ComposeImage[] {
  if (appCompose === undefined) return [];
  try {
    const file = parse(appComposeSchema.parse(JSON.parse(appCompose)).docker_compose_file, {
      maxAliasCount: maxAliases,
    }) as unknown;
    const images = Object.values(composeFileSchema.parse(file).services).map(({ image }) => image);
    return [...new Set(images)].slice(0, maxImages).map((image) => {
      const [, digest] = digestForm.exec(image) ?? [];
      return digest === undefined ? { image } : { image, digest };
    });
  } catch {
    return [];
  }
}
