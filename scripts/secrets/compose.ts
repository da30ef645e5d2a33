import { createHash } from "node:crypto";
import { z } from "zod";
import { AppError } from "../../shared/errors.ts";

/** dstack-types, `AppCompose`. */
const composeSchema = z.object({ allowed_envs: z.array(z.string()).default([]) });
/** dstack: the application's id is the beginning of the hash of the text that it was first deployed with. */
const appIdLength = 40;

export interface Compose {
  /** Hex: of an application that is deployed with this very text first. */
  readonly appId: string;
  readonly allowed: readonly string[];
}

/** `text`: `app-compose.json`, exactly as it is deployed. Throws {@link AppError}. */
export function readCompose(text: string): Compose {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AppError("bad-request", "The compose file is no JSON: give app-compose.json, not docker-compose.yaml.");
  }
  const { data } = composeSchema.safeParse(value);
  if (!data) throw new AppError("bad-request", "The compose file's allowed_envs is no list of names.");
  return {
    appId: createHash("sha256").update(text).digest("hex").slice(0, appIdLength),
    allowed: data.allowed_envs,
  };
}
