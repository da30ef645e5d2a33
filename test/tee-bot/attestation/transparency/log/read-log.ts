import { expect } from "vitest";
import type {
  CertificateLog,
  LogEntry,
  TreeHead,
} from "../../../../../tee-bot/attestation/transparency/log/certificate-log.ts";
import { others } from "../../../../support/ct-certificates.ts";
import type { CtLog } from "../../../../support/ct-log.ts";

const never = new AbortController().signal;

/** All entries that this head has, in as many reads as that takes. */
export async function readAll(log: CertificateLog, head: TreeHead, from = 0): Promise<LogEntry[]> {
  const tree = await log.openTree(head, never);
  const entries: LogEntry[] = [];
  while (from + entries.length < head.size) entries.push(...(await tree.readEntries(from + entries.length, never)));
  return entries;
}

/** Fills the log; whoever reads it gets each entry in its place, also from the middle on. */
export async function expectEachEntry(log: CertificateLog, server: CtLog, size: number): Promise<void> {
  const entries = others(size);
  server.add(...entries);
  const head = await log.fetchHead(never);
  const read = await readAll(log, head);
  expect(read.map(({ index }) => index)).toEqual(entries.map((_, at) => at));
  expect(read.every(({ der }, at) => entries[at]!.der.equals(der))).toBe(true);
  const from = Math.floor(size / 2);
  expect((await readAll(log, head, from))[0]?.index).toBe(from);
}
