import type { DatabaseSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import { writeDurably } from "../../store/open-store.ts";
import { apiKeySchema, type ApiKey } from "./api-key.ts";

/** A key as it is stored: with the hash that it is looked up by. */
export interface StoredKey {
  readonly key: ApiKey;
  readonly hash: string;
}

/** The table of API keys. */
export class KeyTable {
  readonly #store: DatabaseSync;

  constructor(store: DatabaseSync) {
    this.#store = store;
  }

  all(): StoredKey[] {
    return this.#store
      .prepare("SELECT * FROM keys ORDER BY created_at, id")
      .all()
      .flatMap((row) => {
        const key = keyOf(row);
        return key ? [{ key, hash: row["hash"] as string }] : [];
      });
  }

  add({ key, hash }: StoredKey): void {
    const values: Record<string, SQLInputValue> = {
      id: key.id,
      hash,
      name: key.name,
      created_at: key.createdAt,
      expires_at: key.expiresAt ?? null,
      models: key.models ? JSON.stringify(key.models) : null,
      requests_per_minute: key.requestsPerMinute ?? null,
      tokens_per_minute: key.tokensPerMinute ?? null,
      tokens_per_month: key.tokensPerMonth ?? null,
    };
    const columns = Object.keys(values);
    const places = columns.map((column) => `:${column}`);
    const insert = this.#store.prepare(`INSERT INTO keys (${columns.join(", ")}) VALUES (${places.join(", ")})`);
    writeDurably(this.#store, () => void insert.run(values));
  }

  revoke(id: string, at: number): void {
    const update = this.#store.prepare("UPDATE keys SET revoked_at = ? WHERE id = ?");
    writeDurably(this.#store, () => void update.run(at, id));
  }

  remove(id: string): void {
    this.#store.prepare("DELETE FROM usage WHERE key = ?").run(id);
    this.#store.prepare("DELETE FROM keys WHERE id = ?").run(id);
  }

  /** To be called within a transaction. */
  setLastUsed(id: string, at: number): void {
    this.#store.prepare("UPDATE keys SET last_used_at = ? WHERE id = ?").run(at, id);
  }
}

/** Undefined: nobody can say what this row was; its key is not known then. */
function keyOf(row: Record<string, SQLOutputValue>): ApiKey | undefined {
  const { models } = row;
  const fields = {
    id: row["id"],
    name: row["name"],
    createdAt: row["created_at"],
    expiresAt: row["expires_at"] ?? undefined,
    revokedAt: row["revoked_at"] ?? undefined,
    lastUsedAt: row["last_used_at"] ?? undefined,
    models: typeof models === "string" ? parseJson(models) : undefined,
    requestsPerMinute: row["requests_per_minute"] ?? undefined,
    tokensPerMinute: row["tokens_per_minute"] ?? undefined,
    tokensPerMonth: row["tokens_per_month"] ?? undefined,
  };
  const parsed = apiKeySchema.safeParse(fields);
  return parsed.success ? parsed.data : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
