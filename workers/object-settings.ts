import { readConfig, type Config, type Secrets } from "./config.ts";
import type { Env } from "./env.ts";
import { AppError } from "../shared/errors.ts";

/** The settings for a Durable Object. Requests are refused before they come to one when there is a mistake in them. */
export function settingsOf(env: Env): { readonly config: Config; readonly secrets: Secrets } {
  const read = readConfig(env);
  if (!read.ok) throw new AppError("internal", read.problems.join("; "));
  return read;
}
