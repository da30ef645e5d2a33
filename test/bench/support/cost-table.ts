/** The cost sheet as Markdown: counted for each thing that happens, added up for a year of many nodes. */
import { decidePauseMs } from "../../../workers/dns/zone-pass.ts";
import { heartbeatMs, reconcileMs, renewMs } from "./billed-life.ts";
import { dollarsOf, gigabyteSecondsOf, noBill, prices, sumOf, type Bill } from "./bill.ts";
import { line, short } from "./table.ts";
import { relayCount, type EdgeCost } from "../edge-cost.ts";

const yearMs = 365.25 * 86_400_000;
const days = 365.25;
/** Certificates of 90 days, renewed at two thirds. */
const renewalsPerYear = days / 60;
const rehearsalsPerYear = days / 7;
/** workers/dns: what one call of a comparison reads, and how fast calls may follow each other. */
const recordsPerPage = 5_000;
const msPerCall = (5 * 60_000) / 1_000;
/** US dollars for a millisecond, and for a gigabyte-month. */
const cpuPrice = 0.02 / 1e6;
const storagePrice = 0.2;
const fleets = [10_000, 1_000_000] as const;

export function formatCost(cost: EdgeCost): string {
  return [formatEvents(cost), formatYear(cost), formatNotes(cost)].join("\n\n");
}

const units: readonly (readonly [string, (bill: Bill) => number])[] = [
  ["Worker requests", ({ workerRequests }) => workerRequests],
  ["object requests", ({ objectRequests }) => objectRequests],
  ["of these alarms", ({ alarms }) => alarms],
  ["rows written", ({ rowsWritten }) => rowsWritten],
  ["rows read", ({ rowsRead }) => rowsRead],
  ["DNS API calls", ({ dnsCalls }) => dnsCalls],
  ["DoH queries", ({ dohQueries }) => dohQueries],
  ["CA requests", ({ caRequests }) => caRequests],
];

function formatEvents(cost: EdgeCost): string {
  const rows: readonly (readonly [string, Bill])[] = [
    ["registration, the edge's first", cost.registration],
    ["alias", cost.alias],
    ["first certificate, with its rehearsal", cost.firstCertificate],
    ["certificate renewal (ARI)", cost.certificateRenewal],
    ["weekly rehearsal", cost.rehearsal],
    ["lease renewal alone", cost.leaseRenewal],
    ["the same when all objects sleep", cost.wakingRenewal],
    [`day: ${Math.round(86_400_000 / renewMs)} lease renewals, alarms, looks`, cost.day],
    ["comparison of the zone, fixed", cost.passFixed],
    ["comparison of the zone, a record", cost.passPerRecord],
    ["heartbeat of a relay", cost.heartbeat],
  ];
  const head = ["**what happens**", ...units.map(([name]) => name)];
  return [
    line(head),
    line(head.map(() => "---")),
    ...rows.map(([name, bill]) => line([name, ...units.map(([, of]) => rounded(of(bill)))])),
  ].join("\n");
}

/** Of `nodes` nodes in one zone. */
export function billOfYear(cost: EdgeCost, nodes: number): Bill {
  const pages = Math.ceil((nodes * cost.recordsPerNode) / recordsPerPage);
  const passes = yearMs / (decidePauseMs(reconcileMs, pages) + pages * msPerCall);
  const renewals = yearMs / renewMs;
  const waking = sumOf([
    [cost.wakingRenewal, 1],
    [cost.leaseRenewal, -1],
  ]);
  return sumOf([
    [cost.registration, nodes],
    [cost.alias, nodes],
    [cost.firstCertificate, nodes],
    [cost.certificateRenewal, nodes * renewalsPerYear],
    [cost.rehearsal, nodes * rehearsalsPerYear],
    [cost.day, nodes * days],
    [{ ...noBill, rowsRead: waking.rowsRead, objectMs: waking.objectMs }, nodes * (renewals + cost.day.alarms * days)],
    [cost.passFixed, passes * pages],
    [cost.passPerRecord, passes * nodes * cost.recordsPerNode],
  ]);
}

function formatYear(cost: EdgeCost): string {
  const [one, ...many] = [1, ...fleets].map((nodes) => billOfYear(cost, nodes)) as [Bill, ...Bill[]];
  const head = [
    "**a year**",
    "1 node",
    ...fleets.map((nodes) => `${nodes.toLocaleString("en")} nodes`),
    "US$ a million",
    ...fleets.map((nodes) => `US$, ${nodes.toLocaleString("en")}`),
  ];
  const row = (name: string, of: (bill: Bill) => number, price?: number): string =>
    line([
      name,
      large(of(one)),
      ...many.map((bill) => large(of(bill))),
      price === undefined ? "–" : String(Number((price * 1e6).toPrecision(3))),
      ...many.map((bill) => (price === undefined ? "–" : large(of(bill) * price))),
    ]);
  return [
    line(head),
    line(head.map(() => "---")),
    row("Worker requests", ({ workerRequests }) => workerRequests, prices.workerRequests),
    row("object requests", ({ objectRequests }) => objectRequests, prices.objectRequests),
    row("of these alarms", ({ alarms }) => alarms),
    row("rows written", ({ rowsWritten }) => rowsWritten, prices.rowsWritten),
    row("rows read", ({ rowsRead }) => rowsRead, prices.rowsRead),
    row("object GB-s", gigabyteSecondsOf, prices.gigabyteSeconds),
    row("DNS API calls", ({ dnsCalls }) => dnsCalls),
    row("DoH queries", ({ dohQueries }) => dohQueries),
    row("CA requests", ({ caRequests }) => caRequests),
    line([
      "all but CPU and storage",
      `US$ ${short(dollarsOf(one))}`,
      "",
      "",
      "",
      ...many.map((bill) => large(dollarsOf(bill))),
    ]),
  ].join("\n");
}

function formatNotes(cost: EdgeCost): string {
  const { dayHours, recordsPerNode, nodeDatabaseBytes, cpuMsPerLeaseRenewal, heartbeat } = cost;
  const most = fleets.at(-1) ?? 1;
  const cpuMs = most * (yearMs / renewMs) * cpuMsPerLeaseRenewal;
  const gigabyteMonths = (12 * most * nodeDatabaseBytes) / 1e9;
  const beats = sumOf([[heartbeat, yearMs / heartbeatMs]]);
  return [
    `- Of the day, ${short(dayHours)} h were measured. ${relayCount} relays; each further one adds an object request to every lease renewal.`,
    `- CPU of a lease renewal, Worker and objects and runtime: ${short(cpuMsPerLeaseRenewal)} ms; at most US$ ${large(cpuMs * cpuPrice)} for ${most.toLocaleString("en")} nodes.`,
    `- Database of a node's object: ${Math.round(nodeDatabaseBytes / 1000)} kB; US$ ${large(gigabyteMonths * storagePrice)} for ${most.toLocaleString("en")} nodes.`,
    `- DNS records of a node: ${short(recordsPerNode)}.`,
    `- Heartbeats of one relay: US$ ${short(dollarsOf(beats))}.`,
  ].join("\n");
}

const rounded = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 1 : 0);

const scales = [
  [1e12, " T"],
  [1e9, " G"],
  [1e6, " M"],
  [1e3, " k"],
] as const;

function large(value: number): string {
  const [scale, suffix] = scales.find(([from]) => value >= from) ?? [1, ""];
  return `${short(value / scale)}${suffix}`;
}
