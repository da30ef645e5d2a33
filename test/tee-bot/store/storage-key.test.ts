import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TeeState } from "../../../tee-bot/attestation/attestation.ts";
import { decideStorageMode, openStorageKey } from "../../../tee-bot/store/storage-key.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";

const outside: TeeState = { tee: "none", reason: "There is no guest agent here." };
let folder: ReturnType<typeof temporaryFolder>;
let path: string;
beforeEach(() => {
  folder = temporaryFolder();
  path = join(folder.path, "state", "storage.key");
});
afterEach(() => folder[Symbol.dispose]());

describe("the storage mode", () => {
  it("is durable in a TEE and ephemeral outside, unless it is set", () => {
    expect(decideStorageMode(undefined, "dstack")).toBe("durable");
    expect(decideStorageMode(undefined, "none")).toBe("ephemeral");
    expect(decideStorageMode("ephemeral", "dstack")).toBe("ephemeral");
    expect(decideStorageMode("durable", "none")).toBe("durable");
  });
});

describe("the storage key", () => {
  it("is another each time, and nowhere, when it is ephemeral", async () => {
    const [one, two] = [
      await openStorageKey({ mode: "ephemeral", tee: outside, path }),
      await openStorageKey({ mode: "ephemeral", tee: outside, path }),
    ];
    expect(one).not.toEqual(two);
    expect(one).toHaveLength(32);
    expect(existsSync(path)).toBe(false);
  });

  it("is what the TEE derives for storage when it is durable there, and no file", async () => {
    const derived = new Uint8Array(32).fill(7);
    const derive = (use: string): Promise<Uint8Array> =>
      use === "storage" ? Promise.resolve(derived) : Promise.reject(new Error(use));
    const tee = { tee: "dstack", keys: { derive } } as unknown as TeeState;
    expect(await openStorageKey({ mode: "durable", tee, path })).toBe(derived);
    expect(existsSync(path)).toBe(false);
  });

  it("is a file of mode 0600 outside of a TEE, and the same after a restart", async () => {
    const key = await openStorageKey({ mode: "durable", tee: outside, path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(Buffer.from(await openStorageKey({ mode: "durable", tee: outside, path }))).toEqual(Buffer.from(key));
  });

  it("is refused, and left alone, when others can read its file or it is no key", async () => {
    await openStorageKey({ mode: "durable", tee: outside, path });
    chmodSync(path, 0o644);
    await expect(openStorageKey({ mode: "durable", tee: outside, path })).rejects.toThrow("chmod 600");
    chmodSync(path, 0o600);
    writeFileSync(path, "c2hvcnQ=");
    await expect(openStorageKey({ mode: "durable", tee: outside, path })).rejects.toThrow("is no storage key");
    expect(readFileSync(path, "utf8")).toBe("c2hvcnQ=");
  });
});
