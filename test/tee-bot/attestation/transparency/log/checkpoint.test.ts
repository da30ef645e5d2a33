import { generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseCheckpoint } from "../../../../../tee-bot/attestation/transparency/log/checkpoint.ts";
import { isSignedHead, parseLogKey } from "../../../../../tee-bot/attestation/transparency/log/log-key.ts";
import { startCtLog, type CtLog } from "../../../../support/ct-log.ts";
import { others } from "../../../../support/ct-certificates.ts";

/** What a public log (RFC 6962) said of itself on 6 May 2020, with its public key. */
const wild = {
  key: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAESYlKFDLLFmA9JScaiaNnqlU8oWDytxIYMfswHy9Esg0aiX+WnP/yj4O0ViEHtLwbmOQeSWBGkIu9YK9CLeer+g==",
  head: {
    size: 90_785_920,
    timestamp: 1_588_741_228_371,
    root: Buffer.from("l+XrWXWRyp4SmATORgTfz4CcYS/VlE7CeTuWI0FAk3o=", "base64"),
  },
  signature: Buffer.from(
    "BAMASDBGAiEAnaHGuwnyyHWvrfgEn3qtl1j2heMzocku6ZAItYD75m8CIQCpotlpH5GEPEfMMzky72BCuIl14FB65t5SWZ91vgTQOg==",
    "base64",
  ),
};

describe("the signature of a head", () => {
  const key = parseLogKey(wild.key);

  it("of a public log is good", () => {
    expect(isSignedHead(wild.head, wild.signature, key)).toBe(true);
  });

  it.each([
    ["another size", { ...wild.head, size: 90_785_921 }],
    ["another time", { ...wild.head, timestamp: 1_588_741_228_372 }],
    ["another root", { ...wild.head, root: Buffer.alloc(32) }],
  ])("is not good for %s", (_, head) => {
    expect(isSignedHead(head, wild.signature, key)).toBe(false);
  });

  it("is not good with a bit turned anywhere, or cut", () => {
    for (let at = 0; at < wild.signature.length; at++) {
      const turned = Buffer.from(wild.signature);
      turned[at]! ^= 1;
      expect(isSignedHead(wild.head, turned, key)).toBe(false);
      expect(isSignedHead(wild.head, wild.signature.subarray(0, at), key)).toBe(false);
    }
  });

  it("a key that is none is refused", () => {
    expect(() => parseLogKey("bm9uZQ==")).toThrow("no base64 of a SubjectPublicKeyInfo");
  });
});

describe("a checkpoint", () => {
  let log: CtLog;
  let text: string;
  beforeEach(async () => {
    log = await startCtLog();
    log.add(...others(3));
    text = await (await fetch(`${log.url}/checkpoint`)).text();
  });
  afterEach(() => log[Symbol.asyncDispose]());
  const read = (note: string) => parseCheckpoint(note, parseLogKey(log.key));

  it("tells size and root, and the time that was signed", () => {
    const head = read(text);
    expect(head.size).toBe(3);
    expect(Math.abs(head.timestamp - Date.now())).toBeLessThan(10_000);
    expect(parseCheckpoint(text, undefined)).toEqual(head);
  });

  it("may have signatures of others before the log's", () => {
    const [body, own] = text.split("\n\n") as [string, string];
    const witness = `\u2014 witness.example ${Buffer.alloc(76, 1).toString("base64")}\n`;
    const stranger = `\u2014 stand-in.example/2026 ${Buffer.alloc(76, 1).toString("base64")}\n`;
    expect(read(`${body}\n\n${witness}${stranger}${own}`).size).toBe(3);
  });

  it.each([
    ["of another size", (note: string) => note.replace("\n3\n", "\n4\n")],
    ["with another root", (note: string) => note.replace(/\n3\n.{4}/, "\n3\nAAAA")],
    ["without a signature", (note: string) => note.slice(0, note.indexOf("\u2014"))],
    ["under another name", (note: string) => note.replaceAll("stand-in", "elsewhere")],
    ["whose signature has another name", (note: string) => note.replace("\u2014 stand-in", "\u2014 elsewhere")],
  ])("%s is refused", (_, alter) => {
    expect(() => read(alter(text))).toThrow("evidence-rejected");
  });

  it("that somebody else has signed is refused", () => {
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });
    expect(() => parseCheckpoint(text, parseLogKey(other.toString("base64")))).toThrow("evidence-rejected");
  });

  it.each([
    "",
    "\n\n",
    "<html>\n<p>\n\n</p></html>",
    "origin\n-1\nAAAA\n\n",
    "origin\n03\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n",
    "origin\n9999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n",
    "origin\n3\nCsUYapGG\n\n",
  ])("%j is none", (note) => {
    expect(() => read(note)).toThrow("upstream-unavailable");
    expect(() => parseCheckpoint(note, undefined)).toThrow("upstream-unavailable");
  });
});
