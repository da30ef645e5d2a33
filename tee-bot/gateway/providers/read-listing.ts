import { z } from "zod";
import type { ProviderModel } from "./provider.ts";

const maxModels = 5_000;
const maxNameLength = 512;

/** Names of models go into headers and logs. */
export const modelName = z
  .string()
  .max(maxNameLength)
  .regex(/^[\x20-\x7e]+$/);

/** A number that means nothing when it is not positive, and is not worth refusing a model for. */
export const positive = z.number().positive().optional().catch(undefined);
export const text = z.string().min(1).optional().catch(undefined);

/**
 * The models among the entries of a listing. Every provider says something different, and more with each version: an
 * entry that is not understood is left out, and the others are taken.
 */
export function readListing<T>(
  entries: readonly unknown[],
  schema: z.ZodType<T>,
  toModel: (entry: T) => ProviderModel | undefined,
): ProviderModel[] {
  const models = new Map<string, ProviderModel>();
  for (const entry of entries.slice(0, maxModels)) {
    const { data } = schema.safeParse(entry);
    const model = data && toModel(data);
    if (model) models.set(model.id, model);
  }
  return [...models.values()];
}

/** Leaves out what is not known: a field that is there says something. */
export function known<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
