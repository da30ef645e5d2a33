/**
 * Counts calls of Durable Objects where they are made, which is what is billed: an object that calls a method of its
 * own is no request. Every object that was called is remembered.
 */
import { counters } from "./counters.ts";
import type { Inspected } from "./metered-object.ts";
import type { Env } from "../../../workers/env.ts";

const classes: Readonly<Record<keyof Env, string>> = {
  NODES: "NodeObject",
  HUBS: "RouteHub",
  RELAYS: "RelayStatus",
  ZONES: "DnsZone",
  ACCOUNTS: "AcmeAccount",
  INBOXES: "InboxObject",
};

interface MeterReader {
  moveAlarm(ms: number): Promise<void>;
  inspect(): Promise<Inspected>;
}

const readers = new Map<string, () => MeterReader>();
const envs = new WeakMap<Env, Env>();

export function meteredEnv(env: Env): Env {
  const known = envs.get(env);
  if (known) return known;
  const metered: Record<string, unknown> = { ...env };
  for (const [binding, name] of Object.entries(classes))
    metered[binding] = meteredNamespace(name, env[binding as keyof Env]);
  envs.set(env, metered as unknown as Env);
  return metered as unknown as Env;
}

export async function moveAlarms(ms: number): Promise<void> {
  await Promise.all([...readers.values()].map((reader) => reader().moveAlarm(ms)));
}

export function inspectAll(): Promise<Inspected[]> {
  return Promise.all([...readers.values()].map((reader) => reader().inspect()));
}

function meteredNamespace(name: string, namespace: DurableObjectNamespace) {
  return {
    idFromName: (text: string) => namespace.idFromName(text),
    idFromString: (text: string) => namespace.idFromString(text),
    get(id: DurableObjectId) {
      // itty-durable's objects cannot be called otherwise than by fetch, and have no alarms.
      if (name !== "RelayStatus")
        readers.set(`${name} ${id.toString()}`, () => namespace.get(id) as unknown as MeterReader);
      return meteredStub(name, namespace.get(id));
    },
  };
}

type Method = (...args: unknown[]) => Promise<unknown>;

function meteredStub(name: string, stub: object): object {
  return new Proxy(stub, {
    get(target, key) {
      if (typeof key === "symbol" || key === "then") return undefined;
      const methods = target as Record<string, Method>;
      return (...args: unknown[]) => {
        counters.add(`object requests ${name}.${key}`);
        return methods[key]?.(...args);
      };
    },
  });
}
