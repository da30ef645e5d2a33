import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CertificateLog, TreeHead } from "../../../../../tee-bot/attestation/transparency/log/certificate-log.ts";
import { createLogHttp } from "../../../../../tee-bot/attestation/transparency/log/log-http.ts";
import { parseLogKey } from "../../../../../tee-bot/attestation/transparency/log/log-key.ts";
import { openStaticLog } from "../../../../../tee-bot/attestation/transparency/log/static-log.ts";
import { others } from "../../../../support/ct-certificates.ts";
import { startCtLog, type CtLog } from "../../../../support/ct-log.ts";
import type { Answer } from "../../../../support/faults.ts";
import { hastyClock } from "../../../../support/hasty-clock.ts";
import { expectEachEntry, readAll } from "./read-log.ts";

const never = new AbortController().signal;
let server: CtLog;
let log: CertificateLog;
beforeEach(async () => {
  server = await startCtLog();
  const http = createLogHttp({ url: server.url, fetch, clock: hastyClock(1_000), random: () => 0 });
  log = openStaticLog({ url: server.url, key: parseLogKey(server.key), http });
});
afterEach(() => server[Symbol.asyncDispose]());

const turned = (answer: Answer): Answer => {
  const body = Buffer.from(answer.body);
  body[20]! ^= 1;
  return { ...answer, body };
};
const turnABit = { kind: "rewrite", rewrite: turned } as const;
const absent = { kind: "answer", answer: { status: 404, headers: {}, body: "" } } as const;

describe("a static log", () => {
  it.each([1, 2, 255, 256, 257, 511, 512, 700])("of %d entries gives each of them, proved", async (size) => {
    await expectEachEntry(log, server, size);
  });

  it("of more than 65,536 entries is read where it is asked for, with three levels of tiles", async () => {
    server.add(...others(65_800));
    const tree = await log.openTree(await log.fetchHead(never), never);
    expect((await tree.readEntries(65_000, never))[0]?.index).toBe(65_000);
    expect((await tree.readEntries(65_799, never)).map(({ index }) => index)).toEqual([65_799]);
  }, 60_000);

  it("that is empty has a tree", async () => {
    const head = await log.fetchHead(never);
    expect(head.size).toBe(0);
    expect(await readAll(log, head)).toEqual([]);
  });

  it("is known again when it has grown, from every size", async () => {
    const heads: TreeHead[] = [];
    for (const more of [0, 1, 2, 100, 152, 1, 1, 255, 256, 3]) {
      server.add(...others(more));
      heads.push(await log.fetchHead(never));
    }
    const tree = await log.openTree(heads.at(-1)!, never);
    for (const head of heads) expect(await tree.extends(head, never)).toBe(true);
  });

  it("with another history is not taken for the same, whichever entry is another", async () => {
    server.add(...others(300));
    const before = await log.fetchHead(never);
    for (const kept of [299, 256, 255, 0]) {
      server.rewind(kept);
      server.add(...others(400 - kept));
      const tree = await log.openTree(await log.fetchHead(never), never);
      expect(await tree.extends(before, never)).toBe(false);
    }
  });

  it("smaller than it was is not the same", async () => {
    server.add(...others(10));
    const before = await log.fetchHead(never);
    server.rewind(9);
    const tree = await log.openTree(await log.fetchHead(never), never);
    expect(await tree.extends(before, never)).toBe(false);
  });

  it("is refused under a signature that is not its own", async () => {
    server.add(...others(3));
    server.signWith();
    await expect(log.fetchHead(never)).rejects.toThrow("not signed with the log's key");
  });

  it.each([
    ["a partial tile of hashes", "/tile/0/002.p/188", "do not hash to its head"],
    ["a whole tile of hashes", "/tile/0/000", "is not the one that its tree has"],
    ["a tile of the level above", "/tile/1/000.p/2", "do not hash to its head"],
    ["an entry", "/tile/data/000", "evidence-rejected|cut or garbled"],
  ])("with another bit in %s is refused", async (_, path, words) => {
    server.gzip = false;
    server.add(...others(700));
    const head = await log.fetchHead(never);
    server.faults.inject(path, turnABit);
    await expect(readAll(log, head)).rejects.toThrow(new RegExp(words));
    expect(await readAll(log, head)).toHaveLength(700);
  });

  it("whose entries are cut inside their packing is not taken for whole", async () => {
    server.add(...others(300));
    const head = await log.fetchHead(never);
    const cut = (answer: Answer): Answer => ({ ...answer, body: Buffer.from(answer.body).subarray(0, -200) });
    server.faults.inject("/tile/data/000", { kind: "rewrite", rewrite: cut });
    await expect(readAll(log, head)).rejects.toThrow("upstream-unavailable");
    server.faults.inject("/tile/data/000", { kind: "truncate" });
    expect(await readAll(log, head)).toHaveLength(300); // a body that breaks off is asked for again
  });

  it("has a whole tile in place of a partial one that is gone", async () => {
    server.add(...others(200));
    const head = await log.fetchHead(never);
    server.add(...others(100));
    expect(await readAll(log, head)).toHaveLength(200);
    expect(server.faults.count("/tile/data/000.p/200")).toBe(1);
    expect(server.faults.count("/tile/data/000")).toBe(1);
  });

  it("without a tile that belongs to its tree cannot be read, and says which", async () => {
    server.add(...others(200));
    const head = await log.fetchHead(never);
    server.faults.inject("/tile/data/000.p/200", absent, { times: 9 });
    await expect(readAll(log, head)).rejects.toThrow("The log has no tile/data/000.p/200");
  });

  it("that is something else says so", async () => {
    server.faults.inject("/checkpoint", absent);
    await expect(log.fetchHead(never)).rejects.toThrow("it is no static log");
  });
});
