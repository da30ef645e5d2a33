/**
 * Whether the TXT records of an order are seen from outside. The zone's own servers are asked first, as far as they can
 * be reached: a resolver that is asked too early remembers the absence for as long as the zone's SOA says (half an hour
 * at Cloudflare), so it is asked only when they have the records.
 */
import { createDohServer } from "./doh.ts";
import { rcodes } from "./message.ts";
import { challengeName } from "./record.ts";
import type { DnsServer } from "./server.ts";
import type { ChallengeRecord, Propagation, Sighting } from "../acme/ports.ts";

/** `look` answers within the sum of both. */
const authorityStageMs = 4_500;
const resolverStageMs = 5_250;

export interface PropagationOptions {
  /** URLs of resolvers (RFC 8484). */
  readonly resolvers: readonly string[];
  /** The zone's own servers; see authority.ts. None, or a failure, leaves it to the resolvers. */
  readonly authorities?: () => Promise<readonly DnsServer[]>;
  readonly fetch: typeof globalThis.fetch;
}

export function createPropagation({ resolvers, authorities, fetch }: PropagationOptions): Propagation {
  const resolving = resolvers.map((url) => createDohServer({ url, fetch }));
  return {
    async look(records) {
      const own = await within(authorityStageMs, lookAtAuthorities(records, authorities), []);
      const reached = own.filter(({ sees }) => sees !== "unreachable");
      if (reached.some(({ sees }) => sees === "not-all"))
        return [...own, ...resolving.map((server) => sighting(server, "not-all"))];
      return [...own, ...(await lookAt(resolving, records, resolverStageMs))];
    },
  };
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
