import type { Propagation } from "../../shared/acme/ports.ts";
import type { Clock } from "../../shared/clock.ts";
import { createAuthorities } from "../../shared/dns/authority.ts";
import { createDohServer } from "../../shared/dns/doh.ts";
import { createPropagation } from "../../shared/dns/propagation.ts";
import { connectTcp } from "./tcp-stream.ts";

export interface ZonePropagationOptions {
  zone: string;
  /** URLs (RFC 8484). */
  resolvers: readonly string[];
  clock: Clock;
  fetch: typeof fetch;
}

/** Looks at TXT records by these resolvers and, from this machine, at the zone's own servers. */
export function createZonePropagation({ zone, resolvers, clock, fetch }: ZonePropagationOptions): Propagation {
  const authorities = createAuthorities({
    zone,
    connect: connectTcp,
    clock,
    resolvers: resolvers.map((url) => createDohServer({ url, fetch })),
  });
  return createPropagation({ resolvers, authorities, fetch });
}
