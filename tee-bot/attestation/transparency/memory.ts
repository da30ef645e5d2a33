/**
 * What a watcher keeps between runs, in one file: how far each log was read and what its tree was then, which keys were
 * attested, what was told already, and alerts that are still to be delivered.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { AppError, errorText } from "../../../shared/errors.ts";
import { writeFileAtomic } from "../../../shared/nodejs/files.ts";
import { alertSchema } from "./alert.ts";

/** The oldest are forgotten beyond these. */
export const maxToldCertificates = 2_000;
export const maxKnownKeys = 200;
export const maxWaitingAlerts = 1_000;
const maxFileBytes = 16 * 1024 * 1024;

const digest = z.string().regex(/^[0-9a-f]{64}$/);

const logSchema = z.object({
  size: z.int().nonnegative(),
  root: digest,
  timestamp: z.int().nonnegative(),
  next: z.int().nonnegative(),
});

const knownKeySchema = z.object({ spkiSha256: digest, simulated: z.boolean(), at: z.int() });

const toldSchema = z.object({
  name: z.string(),
  issuer: z.string(),
  serial: z.string(),
  spkiSha256: digest,
  notAfter: z.int(),
  /** Whether its key has been attested since. */
  explained: z.boolean(),
});
export type ToldCertificate = z.infer<typeof toldSchema>;

const waitingSchema = z.object({ alert: alertSchema, attempts: z.int(), nextAt: z.int() });
export type WaitingAlert = z.infer<typeof waitingSchema>;

const memorySchema = z.object({
  version: z.literal(1),
  /** By the log's URL. */
  logs: z.record(z.string(), logSchema),
  /** By name: keys that the node has attested, newest last. */
  keys: z.record(z.string(), z.array(knownKeySchema)),
  /** By name: ACME accounts that the node attested last. */
  accounts: z.record(z.string(), z.object({ uris: z.array(z.string()), simulated: z.boolean() })),
  /** By name: CAA records as they were seen last, and what was told of them. */
  caa: z.record(z.string(), z.object({ records: z.array(z.string()), openings: z.array(z.string()) })),
  /** Foreign certificates that were told. */
  told: z.array(toldSchema),
  outbox: z.array(waitingSchema),
});
export type WatchMemory = z.infer<typeof memorySchema>;

export interface MemoryFile {
  readonly memory: WatchMemory;
  save(): void;
}

/** Throws `bad-request` when what is at `path` cannot be read: to begin anew would forget what the logs have promised. */
export function openMemory(path: string): MemoryFile {
  const memory = readMemory(path);
  return {
    memory,
    save() {
      memory.told.splice(0, memory.told.length - maxToldCertificates);
      for (const keys of Object.values(memory.keys)) keys.splice(0, keys.length - maxKnownKeys);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileAtomic(path, JSON.stringify(memory), 0o600);
    },
  };
}

function readMemory(path: string): WatchMemory {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      throw new AppError("bad-request", `${path} cannot be read: ${errorText(error)}.`, { cause: error });
    return { version: 1, logs: {}, keys: {}, accounts: {}, caa: {}, told: [], outbox: [] };
  }
  try {
    if (text.length > maxFileBytes) throw new RangeError(`it has more than ${maxFileBytes} bytes`);
    return memorySchema.parse(JSON.parse(text));
  } catch (error) {
    throw new AppError(
      "bad-request",
      `${path} is not what a watcher has written. Move it away to begin anew; what the logs showed before is forgotten then.`,
      { cause: error },
    );
  }
}
