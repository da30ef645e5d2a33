/**
 * Whether the TXT records of an order are seen from outside. A resolver that is asked too early remembers the absence for
 * as long as the zone's SOA says (half an hour at Cloudflare), so the zone's own servers are asked first, as far as they
 * can be reached, and resolvers are kept out of it for a while.
 */
import { createDohServer } from "./doh.ts";
import { rcodes } from "./message.ts";
import { challengeName } from "./record.ts";
import type { DnsServer } from "./server.ts";
import { isLoopbackUrl } from "../loopback.ts";
import type { ChallengeRecord, Propagation, Sighting } from "../acme/ports.ts";
import { systemClock, type Clock } from "../clock.ts";

/** `look` answers within the sum of both. */
const authorityStageMs = 4_500;
const resolverStageMs = 5_250;
/** How long resolvers are not asked while one of the zone's own servers lacks the records. */
export const lackingMs = 60_000;
/** And when none of them can be reached to tell whether it has them: zones at Cloudflare show a record within seconds. */
export const settlingMs = 5_000;
const maxRemembered = 1_000;

export interface PropagationOptions {
  /** URLs of resolvers (RFC 8484). */
  readonly resolvers: readonly string[];
  /** The zone's own servers; see authority.ts. None, or a failure, leaves it to the resolvers. */
  readonly authorities?: () => Promise<readonly DnsServer[]>;
  readonly fetch: typeof globalThis.fetch;
  readonly clock?: Clock;
}

export function createPropagation(options: PropagationOptions): Propagation {
  const { resolvers, authorities, fetch, clock = systemClock } = options;
  const resolving = resolvers.map((url) => createDohServer({ url, fetch }));
  // One on this machine is for development, and remembers no absence.
  const remembering = !resolvers.every((url) => isLoopbackUrl(new URL(url)));
  const firstLooks = new Map<string, number>();

  /** For how long these have been looked for. The oldest are forgotten when they are too many. */
  const lookedForMs = (records: readonly ChallengeRecord[]): number => {
    const key = records.map(({ hostname, value }) => `${hostname} ${value}`).join();
    const first = firstLooks.get(key);
    if (first !== undefined) return clock.now() - first;
    const [oldest] = firstLooks.keys();
    if (oldest !== undefined && firstLooks.size >= maxRemembered) firstLooks.delete(oldest);
    firstLooks.set(key, clock.now());
    return 0;
  };

  return {
    async look(records) {
      const own = await within(authorityStageMs, lookAtAuthorities(records, authorities), []);
      if (lookedForMs(records) < decideHoldMs(own, remembering))
        return [...own, ...resolving.map((server) => sighting(server, "not-all"))];
      return [...own, ...(await lookAt(resolving, records, resolverStageMs))];
    },
  };
}

/** How long resolvers are kept out of it, by what the zone's own servers say. */
function decideHoldMs(own: readonly Sighting[], remembering: boolean): number {
  if (own.some(({ sees }) => sees === "not-all")) return lackingMs;
  return remembering && own.every(({ sees }) => sees === "unreachable") ? settlingMs : 0;
}

async function lookAtAuthorities(
  records: readonly ChallengeRecord[],
  find: PropagationOptions["authorities"],
): Promise<Sighting[]> {
  try {
    const servers = (await find?.()) ?? [];
    return await lookAt(servers, records, authorityStageMs);
  } catch {
    return []; // not known now: the resolvers decide
  }
}

function lookAt(
  servers: readonly DnsServer[],
  records: readonly ChallengeRecord[],
  withinMs: number,
): Promise<Sighting[]> {
  const looks = servers.map(async (server) =>
    sighting(server, await within(withinMs, look(server, records), "unreachable")),
  );
  return Promise.all(looks);
}

async function look(server: DnsServer, records: readonly ChallengeRecord[]): Promise<Sighting["sees"]> {
  const names = new Set(records.map(({ hostname }) => challengeName(hostname)));
  try {
    for (const name of names) {
      const { rcode, records: found } = await server.ask(name, "TXT");
      const answered = rcode === rcodes.noError || rcode === rcodes.noSuchName;
      if (!answered && server.kind === "authority") return "unreachable"; // it does not hold the zone (any more)
      const values = new Set(found.filter(({ type }) => type === "TXT").map(({ content }) => content));
      const wanted = records.filter(({ hostname }) => challengeName(hostname) === name);
      if (!wanted.every(({ value }) => values.has(value))) return "not-all";
    }
    return "all";
  } catch {
    return "unreachable";
  }
}

const sighting = ({ address, kind }: DnsServer, sees: Sighting["sees"]): Sighting => ({ server: address, kind, sees });

async function within<T>(ms: number, work: Promise<T>, otherwise: T): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<T>((resolve) => (timer = setTimeout(() => resolve(otherwise), ms)));
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
