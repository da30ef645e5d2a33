import type { AcmeAccount } from "./acme/account-object.ts";
import type { DnsZone } from "./dns/zone-object.ts";
import type { InboxObject } from "./inbox/inbox-object.ts";
import type { NodeObject } from "./registry/node-object.ts";
import type { RouteHub } from "./routing/route-hub.ts";

/** What wrangler.toml binds. The variables are read in config.ts and nowhere else. */
export interface Env {
  readonly NODES: DurableObjectNamespace<NodeObject>;
  readonly HUBS: DurableObjectNamespace<RouteHub>;
  readonly RELAYS: DurableObjectNamespace;
  readonly ZONES: DurableObjectNamespace<DnsZone>;
  readonly ACCOUNTS: DurableObjectNamespace<AcmeAccount>;
  readonly INBOXES: DurableObjectNamespace<InboxObject>;
}
