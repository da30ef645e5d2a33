/** A key with its certificate, as it is kept in a file. */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { X509Certificate } from "@peculiar/x509";
import { z } from "zod";
import { AppError } from "../../../../shared/errors.ts";
import type { Holder } from "./authority.ts";

export const holderSchema = z
  .object({ key: z.string(), certificate: z.string() })
  .transform(({ key, certificate }): Holder => ({
    key: createPrivateKey(key),
    certificate: new X509Certificate(certificate),
  }));

export function holderToJson({ key, certificate }: Holder): z.input<typeof holderSchema> {
  return { key: pemOf(key), certificate: certificate.toString("pem") };
}

export function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

const maxFileBytes = 64 * 1024;

/** What the file of a simulator has; undefined when there is none. Throws {@link AppError} for one that is broken. */
export function readKeys<S extends z.ZodType>(path: string, schema: S): z.output<S> | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (stats.size > maxFileBytes) throw unusable(path, `it has ${stats.size} bytes`);
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw unusable(path, "it does not have the keys of a simulator", error);
  }
}

function unusable(path: string, why: string, cause?: unknown): AppError {
  const remedy = "Delete it and new keys are made; whoever trusted the old ones then has to be told.";
  return new AppError("bad-request", `${path} cannot be used: ${why}. ${remedy}`, { cause });
}
