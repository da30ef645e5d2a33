import { createApp } from "./api/app.ts";
import { systemClock } from "../shared/clock.ts";

export { AcmeAccount } from "./acme/account-object.ts";
export { DnsZone } from "./dns/zone-object.ts";
export { InboxObject } from "./inbox/inbox-object.ts";
export { NodeObject } from "./registry/node-object.ts";
export { RelayStatus } from "./relays/relay-status.ts";
export { RouteHub } from "./routing/route-hub.ts";

const app = createApp({ clock: systemClock });

export default { fetch: app.fetch };
