import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CertificateLog, TreeHead } from "../../../../../tee-bot/attestation/transparency/log/certificate-log.ts";
import { createLogHttp } from "../../../../../tee-bot/attestation/transparency/log/log-http.ts";
import { parseLogKey } from "../../../../../tee-bot/attestation/transparency/log/log-key.ts";
import { openRfc6962Log } from "../../../../../tee-bot/attestation/transparency/log/rfc6962-log.ts";
import { others } from "../../../../support/ct-certificates.ts";
import { startCtLog, type CtLog } from "../../../../support/ct-log.ts";
import { garbage, htmlPage, type Answer, type Fault } from "../../../../support/faults.ts";
import { hastyClock } from "../../../../support/hasty-clock.ts";
import { expectEachEntry, readAll } from "./read-log.ts";

const never = new AbortController().signal;
let server: CtLog;
let log: CertificateLog;
beforeEach(async () => {
  server = await startCtLog();
  server.leafIndex = false;
  const http = createLogHttp({ url: server.url, fetch, clock: hastyClock(1_000), random: () => 0 });
  log = openRfc6962Log({ url: server.url, key: parseLogKey(server.key), http });
});
afterEach(() => server[Symbol.asyncDispose]());

/** Changes the answer, as JSON. */
const change = (alter: (body: Record<string, unknown[]>) => unknown): Fault => ({
  kind: "rewrite",
  rewrite: (answer: Answer) => {
    const body = JSON.parse(String(answer.body)) as Record<string, unknown[]>;
    return { ...answer, body: JSON.stringify(alter(body)) };
  },
});

describe("an RFC 6962 log", () => {
  it.each([
    [1, 1_000],
    [255, 1_000],
    [256, 1_000],
    [300, 7],
    [600, 100],
  ])("of %d entries, which gives %d at a time, gives each of them, proved", async (size, entriesPerAnswer) => {
    server.entriesPerAnswer = entriesPerAnswer;
    await expectEachEntry(log, server, size);
  });

  it("is known again when it has grown, from every size; another history is not", async () => {
    const heads: TreeHead[] = [];
    for (const more of [0, 1, 1, 100, 154, 1, 3]) {
      server.add(...others(more));
      heads.push(await log.fetchHead(never));
    }
    const tree = await log.openTree(heads.at(-1)!, never);
    for (const head of heads) expect(await tree.extends(head, never)).toBe(true);
    server.rewind(256);
    server.add(...others(50));
    const other = await log.openTree(await log.fetchHead(never), never);
    expect(await other.extends(heads.at(-1)!, never)).toBe(false);
    expect(await other.extends(heads.at(-3)!, never)).toBe(true);
  });

  it("is refused under a signature that is not its own", async () => {
    server.signWith();
    await expect(log.fetchHead(never)).rejects.toThrow("not signed with the log's key");
  });

  it("that gives entries of another tree is refused", async () => {
    server.add(...others(300));
    const head = await log.fetchHead(never);
    server.faults.inject(
      "/ct/v1/get-entries",
      change(({ entries }) => ({ entries: entries!.toReversed() })),
    );
    await expect(readAll(log, head)).rejects.toThrow("are not those that the log's tree has");
    server.faults.inject(
      "/ct/v1/get-entry-and-proof",
      change((body) => ({ ...body, audit_path: body["audit_path"]!.toReversed() })),
    );
    await expect(readAll(log, head)).rejects.toThrow("cannot prove that entry 256");
  });

  it.each([
    ["a page", htmlPage(200)],
    ["nothing", garbage("")],
    ["no entries", change(() => ({ entries: [] }))],
    ["no leaf", change(() => ({ entries: [{ leaf_input: "AAAA" }] }))],
    [
      "a leaf with more behind it",
      change(({ entries }) => ({
        entries: [{ leaf_input: `${(entries![0] as { leaf_input: string }).leaf_input.slice(0, -4)}AAAAAAAA` }],
      })),
    ],
    ["no base64", change(() => ({ entries: [{ leaf_input: "!" }] }))],
  ])("that answers with %s cannot be read", async (_, fault) => {
    server.add(...others(3));
    const head = await log.fetchHead(never);
    server.faults.inject("/ct/v1/get-entries", fault);
    await expect(readAll(log, head)).rejects.toThrow("upstream-unavailable");
  });

  it("that is something else says so", async () => {
    server.faults.inject("/ct/v1/get-sth", { kind: "answer", answer: { status: 404, headers: {}, body: "" } });
    await expect(log.fetchHead(never)).rejects.toThrow("it has not the API of RFC 6962");
  });
});
