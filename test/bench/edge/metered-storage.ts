/** Rows as Cloudflare counts them: by cursor; one written for `setAlarm`; keys and values count as rows. */
import { counters } from "./counters.ts";
import { clockAheadMs } from "./moved-clock.ts";

type Method = (this: object, ...args: unknown[]) => unknown;
type Prototype = Record<string, Method>;

const owners = new WeakMap<object, string>();
const unmetered = new Map<string, Method>();

/** Counts under `name` from now on. Storage objects share their prototypes, which are changed once. */
export function meterStorage(name: string, storage: DurableObjectStorage): void {
  owners.set(storage, name);
  owners.set(storage.sql, name);
  if (unmetered.size > 0) return;
  meterKeysAndAlarms(Object.getPrototypeOf(storage) as Prototype);
  meterSql(Object.getPrototypeOf(storage.sql) as Prototype);
}

/** Moves the alarm, if there is one, in the time of the runtime; uncounted. */
export async function moveAlarm(storage: DurableObjectStorage, byMs: number, notBefore: number): Promise<void> {
  const at = (await unmetered.get("getAlarm")?.call(storage)) as number | null;
  if (at !== null) await unmetered.get("setAlarm")?.call(storage, Math.max(notBefore, at + byMs));
}

function meterKeysAndAlarms(storage: Prototype): void {
  replace(storage, "getAlarm", (getAlarm) => async (owner) => {
    const at = (await getAlarm.call(owner)) as number | null;
    return at === null ? null : at + clockAheadMs();
  });
  replace(storage, "setAlarm", (setAlarm) => (owner, at) => {
    counters.add(`alarms set ${ownerOf(owner)}`);
    return setAlarm.call(owner, Number(at) - clockAheadMs());
  });
  for (const [key, kind] of [
    ["get", "rows read"],
    ["put", "rows written"],
    ["delete", "rows written"],
  ] as const)
    replace(storage, key, (method) => (owner, ...args) => {
      counters.add(`${kind} ${ownerOf(owner)}`);
      return method.apply(owner, args);
    });
}

function meterSql(sql: Prototype): void {
  replace(sql, "exec", (exec) => (owner, ...args) => {
    const cursor = exec.apply(owner, args) as Pick<SqlStorageCursor<never>, "rowsRead" | "rowsWritten">;
    // Nobody keeps a cursor for longer than the turn in which it was made; before that it has not read everything.
    queueMicrotask(() => {
      counters.add(`rows read ${ownerOf(owner)}`, cursor.rowsRead);
      counters.add(`rows written ${ownerOf(owner)}`, cursor.rowsWritten);
    });
    return cursor;
  });
}

function replace(
  prototype: Prototype,
  key: string,
  make: (method: Method) => (owner: object, ...args: unknown[]) => unknown,
): void {
  const method = prototype[key];
  if (!method) throw new Error(`the storage has no ${key}`);
  unmetered.set(key, method);
  const metered = make(method);
  prototype[key] = function (...args) {
    return metered(this, ...args);
  };
}

const ownerOf = (object: object): string => owners.get(object) ?? "unknown";
