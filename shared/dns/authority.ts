/**
 * The zone's own name servers, asked over TCP (RFC 7766), which is the one transport that Workers have too. Cloudflare
 * lets no Worker connect to Cloudflare's own addresses: an edge there finds the servers of a zone hosted there
 * `unreachable` and judges it by the resolvers, while a node asks them from its own machine.
 */
import { decodeAnswer, encodeQuery, type DnsAnswer, type QueryType } from "./message.ts";
import type { DnsServer } from "./server.ts";
import { joinBytes } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";

export const authorityTimeoutMs = 3_000;
/** How long the servers that were found are taken as the zone's. */
export const authorityCacheMs = 60 * 60_000;
/** How long a server that could not be reached is left alone. */
export const unreachableMs = 10 * 60_000;
const maxServers = 4;
const port = 53;

/** The shape of a socket of `cloudflare:sockets`. */
export interface ByteStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  close(): Promise<void>;
}

/** May connect at once or later; what cannot be reached shows by its streams failing. */
export type Connect = (address: { hostname: string; port: number }) => ByteStream;

export interface AuthorityOptions {
  readonly zone: string;
  readonly connect: Connect;
  readonly clock: Clock;
  /** Resolvers that know the servers of the zone; asked in turn. */
  readonly resolvers: readonly DnsServer[];
  /** `address:port`; empty: those that the zone names. */
  readonly addresses?: readonly string[];
}

/** Finds the zone's own servers; empty when none is known or can be reached. Never throws. */
export function createAuthorities(options: AuthorityOptions): () => Promise<readonly DnsServer[]> {
  const { zone, connect, clock, resolvers, addresses = [] } = options;
  const servers = new Map<string, DnsServer>();
  let found = addresses.length > 0 ? addresses : undefined;
  let foundAt = clock.now();
  return async () => {
    if (addresses.length === 0 && (!found || clock.now() - foundAt >= authorityCacheMs)) {
      found = (await findAddresses(zone, resolvers)) ?? found;
      foundAt = clock.now();
    }
    return (found ?? []).map((address) => {
      const known = servers.get(address) ?? sparing(createTcpServer(address, connect), clock);
      servers.set(address, known);
      return known;
    });
  };
}

/** A server asked over TCP: one connection for each question, which is a few for an order. */
export function createTcpServer(address: string, connect: Connect): DnsServer {
  return {
    address,
    kind: "authority",
    async ask(name, type) {
      const { hostname, port: at } = splitAddress(address);
      const stream = connect({ hostname, port: at });
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<never>((_, reject) => {
        const error = new AppError(
          "upstream-timeout",
          `${address} did not answer within ${authorityTimeoutMs / 1000} s.`,
        );
        timer = setTimeout(() => reject(error), authorityTimeoutMs);
      });
      try {
        return await Promise.race([exchange(stream, name, type, address), late]);
      } catch (error) {
        if (error instanceof AppError) throw error;
        throw new AppError("upstream-unavailable", `${address} cannot be reached.`, { cause: error });
      } finally {
        clearTimeout(timer);
        stream.close().catch(() => {}); // it may be broken already
      }
    },
  };
}

async function exchange(stream: ByteStream, name: string, type: QueryType, address: string): Promise<DnsAnswer> {
  const id = crypto.getRandomValues(new Uint16Array(1))[0] ?? 0;
  const query = encodeQuery(name, type, { id, recurse: false });
  if (!query) throw new AppError("bad-request", `"${name}" is no DNS name.`);
  const writer = stream.writable.getWriter();
  // RFC 7766 §8: the length and the message in one write.
  const written = writer.write(joinBytes([Uint8Array.of(query.length >> 8, query.length & 0xff), query]));
  const [message] = await Promise.all([readMessage(stream.readable.getReader()), written]);
  const answer = message && decodeAnswer(message);
  if (!answer || answer.id !== id)
    throw new AppError("upstream-unavailable", `${address} answered with something that is no DNS message.`);
  return answer;
}

/** The first message, after its length of two bytes; at most 64 KiB. Undefined when it is cut. */
async function readMessage(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
  let bytes = new Uint8Array(0);
  for (;;) {
    const length = 2 + (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0));
    if (bytes.length >= 2 && bytes.length >= length) return bytes.subarray(2, length);
    const part = await reader.read();
    if (part.done) return undefined;
    bytes = joinBytes([bytes, part.value]);
  }
}

/** Leaves a server alone for a while after it could not be reached. */
function sparing(server: DnsServer, clock: Clock): DnsServer {
  let sparedUntil = 0;
  return {
    ...server,
    async ask(name, type) {
      if (clock.now() < sparedUntil)
        throw new AppError("upstream-unavailable", `${server.address} could not be reached a while ago.`);
      try {
        return await server.ask(name, type);
      } catch (error) {
        sparedUntil = clock.now() + unreachableMs;
        throw error;
      }
    },
  };
}

/** Undefined when no resolver can tell now. */
async function findAddresses(zone: string, resolvers: readonly DnsServer[]): Promise<string[] | undefined> {
  for (const resolver of resolvers)
    try {
      const names = await findNameServers(zone, resolver);
      const answers = await Promise.all(names.slice(0, maxServers).map((name) => resolver.ask(name, "A")));
      const found = answers.flatMap(({ records }) => records.find(({ type }) => type === "A") ?? []);
      return [...new Set(found.map(({ content }) => `${content}:${port}`))];
    } catch {
      // the next one may know
    }
  return undefined;
}

/** Our zone may be a part of a larger one: the nearest name with NS records, but never a top-level domain. */
async function findNameServers(zone: string, resolver: DnsServer): Promise<string[]> {
  for (let name = zone; name.includes("."); name = name.slice(name.indexOf(".") + 1)) {
    const { records } = await resolver.ask(name, "NS");
    const names = records.filter(({ type }) => type === "NS").map(({ content }) => content);
    if (names.length > 0) return names;
  }
  return [];
}

/** `192.0.2.1:53` or `[2001:db8::1]:53`. */
function splitAddress(address: string): { hostname: string; port: number } {
  const at = address.lastIndexOf(":");
  return { hostname: address.slice(0, at).replaceAll(/^\[|\]$/g, ""), port: Number(address.slice(at + 1)) };
}
