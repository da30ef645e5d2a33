import type { DnsZone } from "./zone-object.ts";
import type { Env } from "../env.ts";
import type { Remote } from "../remote.ts";

/** The object that holds the records of a zone. */
export function dnsZone(env: Env, zone: string): Remote<DnsZone> {
  return env.ZONES.get(env.ZONES.idFromName(zone));
}
