import type { z } from "zod";

export type Settings<T> =
  | { readonly ok: true; readonly settings: T }
  | { readonly ok: false; readonly mistakes: string[] };

/**
 * The environment of a process, read by its schema. A variable that is empty counts as absent; every mistake is told
 * together, each as `NAME: what is wrong`.
 */
export function parseSettings<T>(schema: z.ZodType<T>, environment: object): Settings<T> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return { ok: true, settings: parsed.data };
  const mistakes = parsed.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join(".")}: ${message}` : message,
  );
  return { ok: false, mistakes };
}
