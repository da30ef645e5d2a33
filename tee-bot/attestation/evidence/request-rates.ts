/** How often evidence may be asked for: nobody needs a key for it, so addresses are counted. Time is passed in. */
import { TokenBucket } from "../../gateway/access/token-bucket.ts";

/** What is shown again costs a write to a socket; what is made for a nonce costs the hardware's time. */
export const ratesPerMinute = {
  shown: { client: 3_000, all: 120_000 },
  made: { client: 60, all: 1_200 },
} as const;
export type RequestKind = keyof typeof ratesPerMinute;

const maxClients = 10_000;

export class RequestRates {
  readonly #all: Record<RequestKind, TokenBucket>;
  /** The one that was heard of longest ago first. */
  readonly #clients: Record<RequestKind, Map<string, TokenBucket>> = { shown: new Map(), made: new Map() };

  constructor(now: number) {
    this.#all = {
      shown: new TokenBucket(ratesPerMinute.shown.all, now),
      made: new TokenBucket(ratesPerMinute.made.all, now),
    };
  }

  /** Counts one request; how long the client should wait instead, undefined while it may ask. */
  count(kind: RequestKind, client: string, now: number): number | undefined {
    const buckets = [this.#bucketOf(kind, client, now), this.#all[kind]];
    const waitMs = Math.max(...buckets.map((bucket) => (bucket.has(1, now) ? 0 : bucket.msUntil(1, now))));
    if (waitMs > 0) return waitMs;
    for (const bucket of buckets) bucket.take(1, now);
    return undefined;
  }

  #bucketOf(kind: RequestKind, client: string, now: number): TokenBucket {
    const clients = this.#clients[kind];
    const bucket = clients.get(client) ?? new TokenBucket(ratesPerMinute[kind].client, now);
    clients.delete(client);
    clients.set(client, bucket);
    const [oldest] = clients.keys();
    if (clients.size > maxClients && oldest !== undefined) clients.delete(oldest);
    return bucket;
  }
}

const groupsOfIpv6 = 8;

/** Whom an address belongs to: of IPv6 the network of 64 bits, which one household or machine has as a whole. */
export function clientOf(address: string): string {
  if (!address.includes(":") || /^::ffff:[\d.]+$/i.test(address)) return address.replace(/^::ffff:/i, "");
  const [head = [], tail] = address.split("::", 2).map((part) => (part === "" ? [] : part.split(":")));
  const zeros = Array.from({ length: Math.max(0, groupsOfIpv6 - head.length - (tail?.length ?? 0)) }, () => "0");
  const groups = [...head, ...(tail ? zeros : []), ...(tail ?? [])];
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, "").toLowerCase())
    .join(":")}::/64`;
}
