/** How much memory does a visitor cost that is connected and says nothing? */
import { holdConnections, runLoad } from "./support/load.ts";
import type { Bench } from "./support/measure.ts";
import { readResidentBytes } from "./support/proc.ts";
import type { WayName } from "./support/ways.ts";

const visitors = 4_000; // one HTTP/2 session takes 4,096
const warmUp = { bodyBytes: 64, connections: 16, seconds: 2, connect: "new" } as const;
const restMs = 3_000; // for the garbage of the arrivals to be collected
export const goalKilobytes = 20;

export interface IdleRow {
  readonly way: WayName;
  readonly visitors: number;
  readonly relayKilobytes: number;
  readonly relayMegabytesBefore: number;
  readonly relayMegabytesAfter: number;
  readonly serverKilobytes: number;
}

export async function measureIdleVisitors(bench: Bench, name: WayName): Promise<IdleRow> {
  const way = bench.ways.all[name];
  const { relay } = way;
  const { backend } = bench.ways;
  if (relay === undefined) throw new Error(`there is no relay in ${name}`);
  const count = Math.ceil(visitors * bench.scale);
  await runLoad(bench.client, way, warmUp);
  await rest();
  const before = { relay: readResidentBytes(relay), server: readResidentBytes(backend) };
  const held = await holdConnections(bench.client, way, count);
  await rest();
  const after = { relay: readResidentBytes(relay), server: readResidentBytes(backend) };
  const open = await held.release();
  console.error(`  idle visitors: ${name} ${Math.round(before.relay / 1e6)} → ${Math.round(after.relay / 1e6)} MB`);
  if (open !== count) throw new Error(`${count - open} of ${count} idle visitors were closed`);
  return {
    way: name,
    visitors: count,
    relayKilobytes: (after.relay - before.relay) / count / 1000,
    relayMegabytesBefore: before.relay / 1e6,
    relayMegabytesAfter: after.relay / 1e6,
    serverKilobytes: (after.server - before.server) / count / 1000,
  };
}

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, restMs));
