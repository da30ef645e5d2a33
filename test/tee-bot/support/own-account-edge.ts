/** What the edge does for nodes with an account of their own, on the zone of a certificate world. */
import { challengeName } from "../../../shared/dns/record.ts";
import type { AccountBinding } from "../../../shared/registry/messages.ts";
import type { ZoneStore } from "../../support/dns/zone-store.ts";
import type { EdgeRequest, Reply } from "./node-edge.ts";

export class OwnAccountEdge {
  readonly #store: ZoneStore;
  /** Told instead of writing records, as long as it is set. */
  refusal: Reply | undefined;
  accounts: readonly AccountBinding[] = [];

  constructor(store: ZoneStore) {
    this.#store = store;
  }

  readonly reply = ({ method, path, body }: EdgeRequest): Reply => {
    const kind = /^\/v1\/nodes\/[^/]+\/(\w+)/.exec(path)?.[1];
    if (kind === "admissions") return { json: method === "PUT" ? { admitted: true } : null };
    if (kind === "accounts") {
      this.accounts = (body as { accounts: AccountBinding[] }).accounts;
      return { json: null };
    }
    if (kind !== "challenges") return { problem: "not-found" };
    if (method === "DELETE") {
      for (const { name } of this.#store.now().all()) this.#store.removeAt(name, "TXT");
      return { json: null };
    }
    if (this.refusal) return this.refusal;
    for (const { hostname, value } of (body as { records: { hostname: string; value: string }[] }).records)
      this.#store.add({ name: challengeName(hostname), type: "TXT", content: value, ttl: 60 });
    return { json: { state: "written" } };
  };
}
