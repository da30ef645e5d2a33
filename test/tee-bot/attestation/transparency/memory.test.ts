import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { maxKnownKeys, maxToldCertificates, openMemory } from "../../../../tee-bot/attestation/transparency/memory.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const digest = "ab".repeat(32);

describe("a watcher's memory", () => {
  it("is empty where there is none, and is what was saved afterwards, for its owner alone", () => {
    const path = join(folder.path, "deep", "watch.json");
    const file = openMemory(path);
    file.memory.keys["alice.example.net"] = [{ spkiSha256: digest, simulated: false, at: 1 }];
    file.memory.logs["https://log.example/"] = { size: 3, root: digest, timestamp: 5, next: 2 };
    file.save();
    expect(openMemory(path).memory).toEqual(file.memory);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("forgets the oldest beyond its limits, when it is saved", () => {
    const path = join(folder.path, "full.json");
    const file = openMemory(path);
    const { memory } = file;
    const told = { name: "a.b", issuer: "i", spkiSha256: digest, notAfter: 1, explained: false };
    for (let at = 0; at < maxToldCertificates + 1; at++) memory.told.push({ ...told, serial: String(at) });
    memory.keys["a.b"] = Array.from({ length: maxKnownKeys + 1 }, (_, at) => ({
      spkiSha256: digest,
      simulated: false,
      at,
    }));
    file.save();
    expect(openMemory(path).memory.told[0]?.serial).toBe("1");
    expect(openMemory(path).memory.keys["a.b"]?.[0]?.at).toBe(1);
  });

  it.each(["", "{", "[]", '{"version":2}', '{"version":1,"logs":{"x":{"size":-1}}}'])(
    "that reads %j is refused and left as it is",
    (text) => {
      const path = join(folder.path, "damaged.json");
      writeFileSync(path, text);
      expect(() => openMemory(path)).toThrow("is not what a watcher has written. Move it away");
      expect(readFileSync(path, "utf8")).toBe(text);
    },
  );

  it("that cannot be read is refused", () => {
    expect(() => openMemory(folder.path)).toThrow("cannot be read");
  });
});
