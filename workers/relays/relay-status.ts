/**
 * The last heartbeat of one relay. The only object made with itty-durable, which suits exactly this: small, JSON,
 * and no loss when it is lost, since the relay tells again within seconds. It goes no further than that because
 * itty-durable (2.4.1) starts its alarms before it has loaded its state, cannot be called over RPC, and its stub
 * hangs when it is awaited. So: no alarm, no secret, and the stub never leaves this file.
 */
import { createDurable, proxyDurable } from "itty-durable";
import { decideIllness, decideVerdicts, illMs, type NodeVerdict } from "./illness.ts";
import type { Heartbeat } from "./liveness.ts";
import type { Env } from "../env.ts";
import { withDeadline } from "../deadline.ts";
import { relayStatusSchema } from "../../shared/registry/messages.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Answers it with what else is known of the relay. */
export async function storeHeartbeat(env: Env, relay: NodeId, { report, at }: Heartbeat): Promise<Heartbeat> {
  // Arguments travel in a header, which holds ASCII only.
  const stored = stub(env, relay).store(encodeURIComponent(JSON.stringify(report)), at);
  const { illUntil } = await withDeadline(stored, "The relay's status");
  return { report, at, ...(illUntil > 0 && { illUntil }) };
}

export async function readHeartbeat(env: Env, relay: NodeId): Promise<Heartbeat | undefined> {
  const stored = await withDeadline(stub(env, relay).read(), "The relay's status");
  const report = relayStatusSchema.safeParse(stored.report);
  if (!report.success) return undefined;
  return { report: report.data, at: stored.at, ...(stored.illUntil > 0 && { illUntil: stored.illUntil }) };
}

export interface Judgement {
  readonly witness: NodeId;
  readonly verdicts: readonly { readonly node: NodeId; readonly isLost: boolean }[];
  /** Relays besides this one whose heartbeats come. */
  readonly others: number;
  readonly now: number;
}

/** Notes how nodes fare through a relay. Whether it is ill from now on, and was not before. */
export async function judgeRelay(env: Env, relay: NodeId, { verdicts, ...by }: Judgement): Promise<boolean> {
  // A header holds some kilobytes: the first half of an id tells nodes apart.
  const lost = verdicts.map(({ node, isLost }) => `${node.slice(0, 16)}${isLost ? "-" : "+"}`).join();
  const judged = stub(env, relay).judge(lost, by.witness, by.others, by.now);
  return (await withDeadline(judged, "The relay's status")).isNewlyIll;
}

interface Stub {
  store(report: string, at: number): Promise<{ illUntil: number }>;
  read(): Promise<{ report: unknown; at: number; illUntil: number }>;
  judge(verdicts: string, witness: NodeId, others: number, now: number): Promise<{ isNewlyIll: boolean }>;
}

function stub(env: Env, relay: NodeId): Stub {
  // With a prefix, since itty-durable takes 64 hexadecimal characters for the id of an object.
  return proxyDurable(env.RELAYS, { name: "RELAYS", parse: true }).get(`relay:${relay}`) as Stub;
}

export class RelayStatus extends createDurable() {
  report: unknown = null;
  at = 0;
  verdicts: readonly NodeVerdict[] = [];
  illUntil = 0;

  async store(report: string, at: number): Promise<{ illUntil: number }> {
    this.report = JSON.parse(decodeURIComponent(report));
    this.at = at;
    await this.persist();
    return { illUntil: this.illUntil };
  }

  read(): { report: unknown; at: number; illUntil: number } {
    return { report: this.report, at: this.at, illUntil: this.illUntil };
  }

  /** `verdicts`: `<16 characters>-` for a node that is lost through this relay, `+` for one that is not. */
  async judge(verdicts: string, witness: NodeId, others: number, now: number): Promise<{ isNewlyIll: boolean }> {
    const news = verdicts
      .split(",")
      .map((text) => ({ node: text.slice(0, 16), isLost: text.endsWith("-"), witness, at: now }));
    this.verdicts = decideVerdicts(this.verdicts, news, now);
    const wasIll = now < this.illUntil;
    if (others > 0 && decideIllness(this.verdicts, others)) this.illUntil = now + illMs;
    else if (!this.verdicts.some(({ isLost }) => isLost)) this.illUntil = 0;
    await this.persist();
    return { isNewlyIll: !wasIll && now < this.illUntil };
  }

  /** The base class lets every holder of a stub delete the object. */
  override destroy(): Promise<never> {
    return Promise.reject(new Error("a relay's status is not destroyed"));
  }
}
