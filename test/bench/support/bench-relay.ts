import { systemClock, type Clock } from "../../../shared/clock.ts";
import { generateIdentityPem, identityOfPem } from "../../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import { relayStatusAnswerSchema } from "../../../shared/registry/messages.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";

export interface BenchRelay {
  readonly id: NodeId;
  beat(edge: string, clock?: Clock): Promise<void>;
}

/** A relay that only says that it is there, at an address of documentation (RFC 5737). */
export async function createBenchRelay(number: number, zone: string): Promise<BenchRelay> {
  const { id, signingKey: privateKey } = await identityOfPem(generateIdentityPem(), Date.now());
  const report = {
    host: `relay${number}.example.test`,
    port: 443,
    name: `relay${number}.${zone}`,
    version: "bench",
    addresses: [`192.0.2.${number}`, `2001:db8::${number}`],
    visitors: 0,
    tunnels: 0,
    draining: false,
  };
  return {
    id,
    async beat(edge, clock = systemClock) {
      const client = new EdgeClient({ edge, signer: { id, role: "postern-relay", privateKey }, clock, fetch });
      await client.request("PUT", `/v1/relays/${id}/status`, relayStatusAnswerSchema, { body: report });
    },
  };
}
