/**
 * The last heartbeat of one relay. The only object made with itty-durable, which suits exactly this: small, JSON,
 * and no loss when it is lost, since the relay tells again within seconds. It goes no further than that because
 * itty-durable (2.4.1) starts its alarms before it has loaded its state, cannot be called over RPC, and its stub
 * hangs when it is awaited. So: no alarm, no secret, and the stub never leaves this file.
 */
import { createDurable, proxyDurable } from "itty-durable";
import type { Heartbeat } from "./liveness.ts";
import type { Env } from "../env.ts";
import { withDeadline } from "../deadline.ts";
import { relayStatusSchema } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

export async function storeHeartbeat(env: Env, relay: NodeId, { report, at }: Heartbeat): Promise<void> {
  // Arguments travel in a header, which holds ASCII only.
  await withDeadline(stub(env, relay).store(encodeURIComponent(JSON.stringify(report)), at), "The relay's status");
}

export async function readHeartbeat(env: Env, relay: NodeId): Promise<Heartbeat | undefined> {
  const stored = await withDeadline(stub(env, relay).read(), "The relay's status");
  const report = relayStatusSchema.safeParse(stored.report);
  return report.success ? { report: report.data, at: stored.at } : undefined;
}

interface Stub {
  store(report: string, at: number): Promise<unknown>;
  read(): Promise<{ report: unknown; at: number }>;
}

function stub(env: Env, relay: NodeId): Stub {
  // With a prefix, since itty-durable takes 64 hexadecimal characters for the id of an object.
  return proxyDurable(env.RELAYS, { name: "RELAYS", parse: true }).get(`relay:${relay}`) as Stub;
}

export class RelayStatus extends createDurable() {
  report: unknown = null;
  at = 0;

  async store(report: string, at: number): Promise<{ stored: true }> {
    this.report = JSON.parse(decodeURIComponent(report));
    this.at = at;
    await this.persist();
    return { stored: true };
  }

  read(): { report: unknown; at: number } {
    return { report: this.report, at: this.at };
  }

  /** The base class lets every holder of a stub delete the object. */
  override destroy(): Promise<never> {
    return Promise.reject(new Error("a relay's status is not destroyed"));
  }
}
