import { connect } from "node:net";
import { Duplex } from "node:stream";
import type { Propagation } from "../../shared/acme/ports.ts";
import type { Clock } from "../../shared/clock.ts";
import { createAuthorities, type ByteStream } from "../../shared/dns/authority.ts";
import { createDohServer } from "../../shared/dns/doh.ts";
import { createPropagation } from "../../shared/dns/propagation.ts";

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

/** TCP as a pair of web streams; a connection that fails shows in both. */
function connectTcp({ hostname, port }: { hostname: string; port: number }): ByteStream {
  const socket = connect({ host: hostname, port });
  const { readable, writable } = Duplex.toWeb(socket);
  return {
    readable: readable as ReadableStream<Uint8Array>,
    writable: writable as WritableStream<Uint8Array>,
    close: () => {
      socket.destroy();
      return Promise.resolve();
    },
  };
}
