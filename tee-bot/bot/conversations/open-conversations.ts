/** Joins what a sealed conversation store is made of, by what is configured. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../../shared/clock.ts";
import type { Log } from "../../../shared/log.ts";
import { Epochs } from "../../store/epochs.ts";
import { RedisValues } from "../../store/redis-values.ts";
import { Seal } from "../../store/seal.ts";
import { SqliteValues } from "../../store/sqlite-values.ts";
import type { StorageMode } from "../../store/storage-key.ts";
import type { ConversationStore } from "./conversation-store.ts";
import { historySchemaName } from "./history-record.ts";
import { usualHistoryLimits, type HistoryLimits } from "./history.ts";
import { SealedConversations, type SealedConversationsOptions } from "./sealed-conversations.ts";

export interface OpenConversationsOptions {
  /** The state folder: files are made in it. */
  folder: string;
  /** Where set, values are in this Redis; else in a file. */
  redisUrl?: string | undefined;
  mode: StorageMode;
  storageKey: Uint8Array;
  limits?: HistoryLimits;
  clock: Clock;
  log: Log;
  onRefused?: SealedConversationsOptions["onRefused"];
}

const valuesFile = "conversations.sqlite";
const epochsFile = "conversation-epochs.sqlite";
const redisPrefix = "postern:conversation:";

/** Throws {@link AppError} when a file cannot be opened or the address of Redis is none. */
export function openConversations(options: OpenConversationsOptions): ConversationStore {
  const { folder, redisUrl, mode, storageKey, limits = usualHistoryLimits, clock, log, onRefused } = options;
  const path = join(folder, valuesFile);
  const epochsPath = join(folder, epochsFile);
  if (mode === "ephemeral") for (const file of [path, epochsPath]) removeStore(file); // its key is gone
  const seal = new Seal({ storageKey, schema: historySchemaName });
  const values =
    redisUrl === undefined
      ? new SqliteValues({ path, isDurable: mode === "durable", clock, log })
      : new RedisValues({ url: redisUrl, prefix: redisPrefix, clock, log });
  const epochs = new Epochs({ path: mode === "durable" ? epochsPath : undefined, log });
  return new SealedConversations({ values, seal, epochs, limits, clock, log, ...(onRefused && { onRefused }) });
}

function removeStore(path: string): void {
  for (const companion of ["", "-wal", "-shm", ".damaged"]) rmSync(path + companion, { force: true });
}
