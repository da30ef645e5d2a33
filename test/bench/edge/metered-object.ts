/** Counts what happens inside a Durable Object: its alarms, the time it works, rows that it reads and writes. */
import { counters } from "./counters.ts";
import { meteredEnv } from "./metered-namespaces.ts";
import { meterStorage, moveAlarm } from "./metered-storage.ts";
import { clockAheadMs, realNow } from "./moved-clock.ts";
import type { Env } from "../../../workers/env.ts";

export interface Inspected {
  readonly name: string;
  /** Until its alarm; null without one. */
  readonly dueInMs: number | null;
  readonly databaseBytes: number;
}

// oxlint-disable-next-line typescript/no-explicit-any -- TypeScript wants just this of a class that is to be extended
type ObjectClass = new (...args: any[]) => object;
type Method = (this: object, ...args: unknown[]) => unknown;

let runningAlarms = 0;
export const isRunningAlarm = (): boolean => runningAlarms > 0;

/** The same class for the runtime; `name` is by what it is counted. */
export function meteredObject<C extends ObjectClass>(name: string, Base: C): C {
  class Metered extends Base {
    readonly #storage: DurableObjectStorage;

    // oxlint-disable-next-line typescript/no-explicit-any
    constructor(...[ctx, env]: any[]) {
      meterStorage(name, (ctx as DurableObjectState).storage);
      super(ctx, meteredEnv(env as Env));
      this.#storage = (ctx as DurableObjectState).storage;
    }

    /** With the clock: what was to come in an hour comes in an hour less `ms`. */
    async moveAlarm(ms: number): Promise<void> {
      await moveAlarm(this.#storage, -ms, realNow());
    }

    async inspect(): Promise<Inspected> {
      const at = await this.#storage.getAlarm();
      const dueInMs = at === null ? null : at - realNow() - clockAheadMs();
      return { name, dueInMs, databaseBytes: this.#storage.sql.databaseSize };
    }
  }
  const methods = Metered.prototype as unknown as Record<string, Method>;
  const own = Base.prototype as Record<string, unknown>;
  for (const key of Object.getOwnPropertyNames(own)) {
    const descriptor = Object.getOwnPropertyDescriptor(own, key);
    if (key === "constructor" || typeof descriptor?.value !== "function") continue;
    methods[key] = timed(name, key, descriptor.value as Method);
  }
  return Metered;
}

function timed(name: string, key: string, method: Method): Method {
  const isAlarm = key === "alarm";
  return function (...args) {
    if (isAlarm) {
      counters.add(`alarms ${name}`);
      runningAlarms++;
    }
    const startedAt = realNow();
    const end = (): void => {
      counters.add(`object ms ${name}`, realNow() - startedAt);
      if (isAlarm) runningAlarms--;
    };
    const answer = method.apply(this, args);
    if (!(answer instanceof Promise)) {
      end();
      return answer;
    }
    return answer.finally(end);
  };
}
