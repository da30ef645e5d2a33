/** The edge as it is, but for its clock and for faults that a test asks for. */
import { AcmeAccount as RealAcmeAccount } from "../../../workers/acme/account-object.ts";
import { createApp } from "../../../workers/api/app.ts";
import { DnsZone as RealDnsZone } from "../../../workers/dns/zone-object.ts";
import type { Env } from "../../../workers/env.ts";
import { InboxObject as RealInboxObject } from "../../../workers/inbox/inbox-object.ts";
import type { AssignedRelays } from "../../../workers/registry/node-calls.ts";
import { NodeObject as RealNodeObject } from "../../../workers/registry/node-object.ts";
import type { Publication } from "../../../workers/routing/publication.ts";
import { RouteHub as RealRouteHub } from "../../../workers/routing/route-hub.ts";
import type { Result } from "../../../shared/errors.ts";
import { calls, clock, faults } from "./controls.ts";
import { scriptedCa } from "./scripted-ca.ts";
import { scriptedSurroundings } from "./surroundings.ts";
import { providerOf } from "./zone-provider.ts";

export { RelayStatus } from "../../../workers/relays/relay-status.ts";

const parts = { clock, random: () => 0.5 };

export class NodeObject extends RealNodeObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, { ...parts, surroundings: scriptedSurroundings });
  }

  override setRelays(assigned: AssignedRelays): Promise<Result<void>> {
    calls.setRelays++;
    return super.setRelays(assigned);
  }
}

export class AcmeAccount extends RealAcmeAccount {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, { ...parts, createCa: (options) => scriptedCa(options.directory).create(options) });
  }
}

export class InboxObject extends RealInboxObject {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, parts);
  }
}

export class DnsZone extends RealDnsZone {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, { ...parts, createProvider: () => providerOf(ctx.id) });
  }
}

export class RouteHub extends RealRouteHub {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env, parts);
  }

  override publish(publication: Publication): Promise<void> {
    if (faults.hubDown) return Promise.reject(new Error("the hub is down"));
    return super.publish(publication);
  }

  override claimAlias(claim: Parameters<RealRouteHub["claimAlias"]>[0]): Result<null> {
    if (faults.hubDown) throw new Error("the hub is down");
    return super.claimAlias(claim);
  }
}

const app = createApp({ clock });

export default { fetch: app.fetch };
