import type { Simulator } from "../attestation/simulator/simulator.ts";
import { painter } from "./paint.ts";

/** What a person is told when a simulator runs: first of all what it is not. */
export function formatSimulator(
  {
    socket,
    tappdSocket,
    worker,
    root,
    pcs,
    generation,
    composeHash,
    keyProvider,
  }: Pick<
    Simulator,
    "socket" | "tappdSocket" | "worker" | "root" | "pcs" | "generation" | "composeHash" | "keyProvider"
  >,
  color: boolean,
): string {
  const paint = painter(color);
  const rows = [
    ["agent", `${socket} (as dstack ${generation})`],
    ...(tappdSocket === undefined ? [] : [["tappd", tappdSocket]]),
    ...(worker === undefined ? [] : [["worker", worker]]),
    ["collateral", pcs],
    ["root", root],
    ["compose hash", composeHash],
    ["key provider", keyProvider],
  ];
  return [
    paint("red", "SIMULATED TEE: NOTHING HERE IS PROOF"),
    "  Its keys lie in files, its quotes are signed by itself, and whoever has this machine sees everything.",
    "",
    ...rows.map(([name = "", value]) => `  ${name.padEnd(12)}  ${value}`),
    "",
    "  start a node in it   POSTERN_ATTESTATION_TEE=simulated \\",
    `                       POSTERN_ATTESTATION_SOCKET=${socket} \\`,
    `                       POSTERN_ATTESTATION_COLLATERAL=${pcs} postern start`,
    `  verify that node     postern verify --simulator-root ${root} URL`,
    "  stop                 Ctrl-C",
    "",
  ].join("\n");
}
