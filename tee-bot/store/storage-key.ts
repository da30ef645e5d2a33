/**
 * The key that what the node stores is sealed with. `durable`: the TEE derives it, or outside of one it is a file; what is
 * stored survives a restart, and is deleted only as well as its disk deletes. `ephemeral`: it is in memory only, so that
 * everything sealed is gone with the process.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { readKeyFile } from "../../shared/nodejs/identity-file.ts";
import { makeFileOnce } from "../../shared/nodejs/files.ts";
import type { TeeState } from "../attestation/attestation.ts";
import { storageKeyBytes } from "./seal.ts";

export const storageModes = ["durable", "ephemeral"] as const;
export type StorageMode = (typeof storageModes)[number];

/** Outside a TEE a key file is readable by whoever has the disk, so nothing is kept there unless it is asked for. */
export function decideStorageMode(wanted: StorageMode | undefined, tee: TeeState["tee"]): StorageMode {
  return wanted ?? (tee === "none" ? "ephemeral" : "durable");
}

/** Throws {@link AppError} for a key file that others can read, or that is none. */
export async function openStorageKey({
  mode,
  tee,
  path,
}: {
  mode: StorageMode;
  tee: TeeState;
  /** Of the key file, where one is needed. */
  path: string;
}): Promise<Uint8Array> {
  if (mode === "ephemeral") return randomBytes(storageKeyBytes);
  return tee.tee === "none" ? readOrCreateKeyFile(path) : tee.keys.derive("storage");
}

/** Several processes of one node may start at the same time: the first one's key is everybody's. */
function readOrCreateKeyFile(path: string): Uint8Array {
  const text = readKeyFile(path);
  if (text === undefined) {
    const key = randomBytes(storageKeyBytes);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return makeFileOnce(path, `${key.toString("base64")}\n`, 0o600) ? key : readOrCreateKeyFile(path);
  }
  const key = Buffer.from(text.trim(), "base64");
  if (key.length === storageKeyBytes) return key;
  throw new AppError(
    "bad-request",
    `${path} is no storage key: it should have ${storageKeyBytes} bytes in base64. Restore it, or remove it to begin anew without what was stored.`,
  );
}
