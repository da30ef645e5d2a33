/** Sealed values in Redis, which several processes may share; whoever runs it sees tags, sizes and times. */
import { RESP_TYPES, createClient } from "@redis/client";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { sealHeadBytes } from "./seal.ts";
import type { KeptValue, ValueStore } from "./value-store.ts";

export interface RedisValuesOptions {
  /** `redis[s]://[[user][:password]@]host[:port][/database]`; never logged. */
  url: string;
  /** Stands before every tag. */
  prefix: string;
  clock: Clock;
  log: Log;
  /** How long a command may take, with the wait for a connection. */
  deadlineMs?: number;
}

const usualDeadlineMs = 2_000;
const connectTimeoutMs = 2_000;
const longestReconnectPauseMs = 1_000;
const pingEveryMs = 5_000;
/** Longer than from ping to ping: a connection that is silent so long is dead. */
const socketTimeoutMs = 12_000;
const maxWaitingCommands = 1_000;
const tagsAtATime = 100;
/** A server that is down stays so: it is told once in so long. */
const quietMs = 60_000;

/** Redis runs a script alone, so nothing comes between the look and the change. Times are relative: clocks differ. */
const replaceScript = `
local there = redis.call('GETRANGE', KEYS[1], 0, ${sealHeadBytes - 1})
if there ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`;

/**
 * Reconnects by itself, for ever. Commands wait for the connection within their deadline, so a short restart is not
 * noticed; afterwards they fail, and are not run later.
 */
export class RedisValues implements ValueStore {
  readonly #options: RedisValuesOptions;
  readonly #client: ReturnType<typeof createRedisClient>;
  #toldAt = -Infinity;

  /** Connects at once, in the background. Throws {@link AppError} for a URL that is none. */
  constructor(options: RedisValuesOptions) {
    this.#options = options;
    this.#client = createRedisClient(options.url);
    this.#client.on("error", (error: unknown) => this.#tell(error));
    this.#client.connect().catch((error: unknown) => this.#tell(error));
  }

  async read(tag: string): Promise<Uint8Array | undefined> {
    return ((await this.#ask(["GET", this.#keyOf(tag)])) as Buffer | null) ?? undefined;
  }

  async replace(tag: string, before: Uint8Array | undefined, after: KeptValue | undefined): Promise<boolean> {
    const head = Buffer.from(before?.subarray(0, sealHeadBytes) ?? []);
    const lifeMs = after ? Math.max(1, Math.ceil(after.dropAt - this.#options.clock.now())) : 0;
    const value = Buffer.from(after?.bytes ?? []);
    return (await this.#ask(["EVAL", replaceScript, "1", this.#keyOf(tag), head, value, String(lifeMs)])) === 1;
  }

  async *tags(beginning: string): AsyncIterable<string> {
    const { prefix } = this.#options;
    let cursor = "0";
    do {
      const scan = ["SCAN", cursor, "MATCH", `${prefix}${beginning}*`, "COUNT", String(tagsAtATime)];
      const [next, keys] = (await this.#ask(scan)) as [Buffer, Buffer[]];
      for (const key of keys) yield key.toString().slice(prefix.length);
      cursor = next.toString();
    } while (cursor !== "0");
  }

  [Symbol.dispose](): void {
    if (this.#client.isOpen) this.#client.destroy();
  }

  #keyOf(tag: string): string {
    return this.#options.prefix + tag;
  }

  /** The client takes a command back at its deadline only while it has not been sent; so there is a second timer. */
  async #ask(command: (string | Buffer)[]): Promise<unknown> {
    const { deadlineMs = usualDeadlineMs } = this.#options;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("no answer in time")), deadlineMs + 50);
    const asked = this.#client.sendCommand(command, { ...asBytes, timeout: deadlineMs });
    try {
      return await Promise.race([asked, late]);
    } catch (error) {
      asked.catch(() => {}); // whatever comes of it now
      this.#tell(error);
      throw new AppError("overloaded", "Redis does not answer now. Try again soon; the operator has been told.", {
        cause: new Error(causeOf(error)),
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #tell(error: unknown): void {
    const now = performance.now();
    if (now - this.#toldAt < quietMs) return;
    this.#toldAt = now;
    this.#options.log.error("redis.failed", { error: causeOf(error) });
  }
}

const asBytes = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

function createRedisClient(url: string) {
  try {
    return createClient({
      url,
      disableClientInfo: true,
      maintNotifications: "disabled",
      commandsQueueMaxLength: maxWaitingCommands,
      pingInterval: pingEveryMs,
      socket: {
        connectTimeout: connectTimeoutMs,
        socketTimeout: socketTimeoutMs,
        reconnectStrategy: (retries) => Math.min(50 * 2 ** Math.min(retries, 10), longestReconnectPauseMs),
      },
    });
  } catch {
    throw new AppError(
      "bad-request",
      "REDIS_URL is no address of a Redis: write redis://host:6379, or rediss:// for TLS, with user:password@ before the host where needed.",
    );
  }
}

/** The kind of failure only: an answer of Redis may quote what it was sent. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  const [word = ""] = error.message.split(" ");
  return /^[A-Z]{3,}$/.test(word) ? word : error.name === "Error" ? error.message : error.name;
}
