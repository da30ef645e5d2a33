/** Joins what sealed records of one kind are made of, by what is configured. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import { Epochs } from "./epochs.ts";
import { RedisValues } from "./redis-values.ts";
import { Seal } from "./seal.ts";
import { SealedRecords, type RecordForm, type SealedRecordsOptions } from "./sealed-records.ts";
import { SqliteValues } from "./sqlite-values.ts";
import type { StorageMode } from "./storage-key.ts";

/** What everything that is kept sealed needs to know of its surroundings. */
export interface SealedPlace {
  /** The state folder: files are made in it. */
  folder: string;
  /** Where set, values are in this Redis; else in a file. */
  redisUrl?: string | undefined;
  mode: StorageMode;
  storageKey: Uint8Array;
  clock: Clock;
  log: Log;
}

/** What tells records of one kind from others in the same place. */
export interface RecordNames {
  /** Of the form, in the seal: `person/v1`. */
  readonly schema: string;
  readonly valuesFile: string;
  /** Undefined: an older record that is put back is noticed only until the process ends. */
  readonly epochsFile: string | undefined;
  readonly redisPrefix: string;
}

export interface OpenSealedRecordsOptions<T> extends SealedPlace {
  names: RecordNames;
  form: RecordForm<T>;
  /** Undefined: a change in `durable` mode is on the disk before it is answered. */
  isSynced?: boolean;
  onRefused: SealedRecordsOptions<T>["onRefused"];
}

/** Throws {@link AppError} when a file cannot be opened or the address of Redis is none. */
export function openSealedRecords<T>(options: OpenSealedRecordsOptions<T>): SealedRecords<T> {
  const {
    folder,
    redisUrl,
    mode,
    storageKey,
    names,
    form,
    isSynced = mode === "durable",
    clock,
    log,
    onRefused,
  } = options;
  const path = join(folder, names.valuesFile);
  const epochsPath = names.epochsFile === undefined ? undefined : join(folder, names.epochsFile);
  if (mode === "ephemeral") for (const file of [path, epochsPath]) if (file !== undefined) removeStore(file); // its key is gone
  const seal = new Seal({ storageKey, schema: names.schema });
  const values =
    redisUrl === undefined
      ? new SqliteValues({ path, isDurable: isSynced, clock, log })
      : new RedisValues({ url: redisUrl, prefix: names.redisPrefix, clock, log });
  const epochs = new Epochs({ path: mode === "durable" ? epochsPath : undefined, log });
  return new SealedRecords({ values, seal, epochs, form, clock, onRefused });
}

function removeStore(path: string): void {
  for (const companion of ["", "-wal", "-shm", ".damaged"]) rmSync(path + companion, { force: true });
}
