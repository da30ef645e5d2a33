import type { DnsAnswer, QueryType } from "./message.ts";

/** Someone who answers DNS questions: a resolver, or one of the zone's own servers. */
export interface DnsServer {
  /** Its URL or its address and port: what a person is told. */
  readonly address: string;
  readonly kind: "resolver" | "authority";
  /** Throws `upstream-unavailable` or `upstream-timeout` when it does not answer in time, or not with DNS. */
  ask(name: string, type: QueryType): Promise<DnsAnswer>;
}
