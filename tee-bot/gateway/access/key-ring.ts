/**
 * The API keys of this node: in memory, looked up by the hash of their text at the same cost for one as for thousands;
 * what changes is in the file before it is told.
 */
import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../../shared/clock.ts";
import { AppError } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import type { Batches, BatchWriter } from "../../store/batches.ts";
import type { Caller } from "./access.ts";
import { decideKeyState, type ApiKey, type KeyWish } from "./api-key.ts";
import { KeyTable } from "./key-table.ts";
import { createKeyText, hashOfKey } from "./key-text.ts";

export interface KeyRingOptions {
  store: DatabaseSync;
  batches: Batches;
  clock: Clock;
  log: Log;
}

/** One key of the ring: who calls with it. */
export interface HeldKey extends Caller {
  readonly keyId: string;
  readonly key: ApiKey;
}

interface Held extends HeldKey {
  readonly hash: string;
  key: ApiKey;
  /** When the file heard last of its use. */
  writtenUseAt: number;
}

const idBytes = 9;
/** Also those that are good no more: they are remembered for a while, so that their holders hear what became of them. */
const maxKeys = 10_000;
const rememberedMs = 90 * 86_400_000;
/** How exact the time of the last use is. */
const lastUseMs = 60_000;

export class KeyRing implements BatchWriter {
  readonly #table: KeyTable;
  readonly #batches: Batches;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #byHash = new Map<string, Held>();
  readonly #byId = new Map<string, Held>();
  readonly #used = new Set<Held>();
  #written: Held[] = [];

  /** Told of each key that is good no more from now on by somebody's word. */
  onRevoked: (key: ApiKey) => void = () => {};

  constructor({ store, batches, clock, log }: KeyRingOptions) {
    this.#table = new KeyTable(store);
    this.#batches = batches;
    this.#clock = clock;
    this.#log = log;
    for (const { key, hash } of this.#table.all()) this.#hold(key, hash);
    this.#forgetOld();
    batches.add(this);
  }

  /** The key with this text, whether it is still good or not. */
  find(text: string): HeldKey | undefined {
    return this.#byHash.get(hashOfKey(text));
  }

  get(id: string): HeldKey | undefined {
    return this.#byId.get(id);
  }

  /** All that are remembered, the oldest first. */
  list(): ApiKey[] {
    return [...this.#byId.values()].map((held) => held.key);
  }

  /** Makes a key; its text is answered once and kept nowhere. Throws {@link AppError}. */
  create(wish: KeyWish): { key: ApiKey; text: string } {
    const now = this.#clock.now();
    if (wish.expiresAt !== undefined && wish.expiresAt <= now)
      throw new AppError("bad-request", "The key would have expired already.");
    if (this.#active(now).some(({ name }) => name === wish.name))
      throw new AppError("name-taken", `There is a key named "${wish.name}" already.`);
    this.#forgetOld();
    if (this.#byId.size >= maxKeys) throw new AppError("name-limit", `A node has at most ${maxKeys} API keys.`);
    const text = createKeyText();
    const id = `key_${randomBytes(idBytes).toString("base64url")}`;
    const key: ApiKey = { ...wish, id, createdAt: now };
    const hash = hashOfKey(text);
    this.#table.add({ key, hash });
    this.#hold(key, hash);
    this.#log.info("key.created", { key: id, name: key.name });
    return { key, text };
  }

  /** Ends a key, found by its id or its name. Throws {@link AppError}. */
  revoke(idOrName: string): ApiKey {
    const now = this.#clock.now();
    const id = this.#byId.has(idOrName) ? idOrName : this.#active(now).find(({ name }) => name === idOrName)?.id;
    const held = id === undefined ? undefined : this.#byId.get(id);
    if (!held) throw new AppError("not-found", `There is no API key "${idOrName}" that could be revoked.`);
    if (held.key.revokedAt !== undefined) return held.key;
    this.#table.revoke(held.keyId, now);
    held.key = { ...held.key, revokedAt: now };
    this.#log.info("key.revoked", { key: held.keyId, name: held.key.name });
    this.onRevoked(held.key);
    return held.key;
  }

  /** Notes the time of a use, in the file not more often than every minute. */
  used({ keyId }: HeldKey, now: number): void {
    const held = this.#byId.get(keyId);
    if (!held || now - held.writtenUseAt < lastUseMs) return;
    held.writtenUseAt = now;
    held.key = { ...held.key, lastUsedAt: now };
    this.#used.add(held);
    this.#batches.touch();
  }

  write(): boolean {
    this.#written = [...this.#used];
    for (const { keyId, writtenUseAt } of this.#written) this.#table.setLastUsed(keyId, writtenUseAt);
    return false;
  }

  written(): void {
    for (const held of this.#written) this.#used.delete(held);
  }

  #active(now: number): ApiKey[] {
    return this.list().filter((key) => decideKeyState(key, now) === "active");
  }

  #hold(key: ApiKey, hash: string): void {
    const held: Held = { keyId: key.id, models: key.models, key, hash, writtenUseAt: key.lastUsedAt ?? 0 };
    this.#byHash.set(hash, held);
    this.#byId.set(key.id, held);
  }

  #forgetOld(): void {
    const before = this.#clock.now() - rememberedMs;
    for (const { key, hash } of this.#byId.values()) {
      if ((key.revokedAt ?? key.expiresAt ?? Infinity) >= before) continue;
      this.#table.remove(key.id);
      this.#byId.delete(key.id);
      this.#byHash.delete(hash);
    }
  }
}
