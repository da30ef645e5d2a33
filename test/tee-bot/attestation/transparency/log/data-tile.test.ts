import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseDataTile } from "../../../../../tee-bot/attestation/transparency/log/data-tile.ts";
import { issue, others, type IssuedCertificate } from "../../../../support/ct-certificates.ts";
import { startCtLog, type CtLog } from "../../../../support/ct-log.ts";

let log: CtLog;
let issued: IssuedCertificate;
beforeEach(async () => {
  log = await startCtLog();
  issued = await issue(["alice.example.net"]);
});
afterEach(() => log[Symbol.asyncDispose]());

async function tileBytes(): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${log.url}/tile/data/000.p/${log.size}`)).arrayBuffer());
}

describe("a data tile", () => {
  it("has certificates and precertificates in order, each with its leaf's hash", async () => {
    log.add(issued.certificate, issued.precertificate);
    const entries = parseDataTile(await tileBytes(), 0, 2);
    expect(entries?.map(({ index, kind }) => [index, kind])).toEqual([
      [0, "certificate"],
      [1, "precertificate"],
    ]);
    expect(Buffer.from(entries![1]!.der)).toEqual(issued.precertificate.der);
    const hashes = Buffer.from(await (await fetch(`${log.url}/tile/0/000.p/2`)).arrayBuffer());
    expect(Buffer.concat(entries!.map(({ leafHash }) => leafHash))).toEqual(hashes);
  });

  it("gives as many as are asked for, when the whole tile came", async () => {
    log.add(...others(3));
    expect(parseDataTile(await tileBytes(), 0, 2)).toHaveLength(2);
    expect(parseDataTile(await tileBytes(), 0, 4)).toBeUndefined();
  });

  it("cut at any byte is none", async () => {
    log.add(issued.precertificate, ...others(1));
    const whole = await tileBytes();
    for (let at = 0; at < whole.length; at++) expect(parseDataTile(whole.subarray(0, at), 0, 2)).toBeUndefined();
  });

  it("whose entries say they are others is none; those that say nothing are taken", async () => {
    log.add(...others(2));
    expect(parseDataTile(await tileBytes(), 256, 2)).toBeUndefined();
    log.rewind(0);
    log.leafIndex = false;
    log.add(...others(2));
    expect(parseDataTile(await tileBytes(), 256, 2)).toHaveLength(2);
  });

  it("of noise is none, and never throws", () => {
    for (let seed = 0; seed < 256; seed++)
      for (const length of [1, 9, 12, 60, 300]) expect(parseDataTile(Buffer.alloc(length, seed), 0, 8)).toBeUndefined();
  });
});
