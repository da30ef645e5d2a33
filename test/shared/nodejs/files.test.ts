import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFileOnce, writeFileAtomic } from "../../../shared/nodejs/files.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("writeFileAtomic", () => {
  it("writes the whole content, with the mode asked for, and leaves nothing beside it", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    writeFileAtomic(path, "one", 0o600);
    writeFileAtomic(path, "two: ünïcode", 0o600);
    expect(readFileSync(path, "utf8")).toBe("two: ünïcode");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(["file"]);
  });

  it("writes megabytes whole", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    const content = "é".repeat(4_000_000);
    writeFileAtomic(path, content);
    expect(readFileSync(path, "utf8") === content).toBe(true);
  });

  it("gives the file a new mode with its new content", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    writeFileSync(path, "open to all", { mode: 0o666 });
    writeFileAtomic(path, "secret", 0o600);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("leaves the old content, and nothing beside it, when it fails", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "taken");
    mkdirSync(join(path, "inside"), { recursive: true });
    expect(() => writeFileAtomic(path, "new")).toThrow();
    expect(readdirSync(folder.path)).toEqual(["taken"]);
  });

  it("fails when there is no such folder", () => {
    using folder = temporaryFolder();
    expect(() => writeFileAtomic(join(folder.path, "none", "file"), "x")).toThrow(/ENOENT/);
  });
});

describe("makeFileOnce", () => {
  it("makes a file where there is none, and leaves one alone that is there", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "file");
    expect(makeFileOnce(path, "one", 0o600)).toBe(true);
    expect(makeFileOnce(path, "two", 0o600)).toBe(false);
    expect(readFileSync(path, "utf8")).toBe("one");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder.path)).toEqual(["file"]);
  });

  it("fails when there is no such folder", () => {
    using folder = temporaryFolder();
    expect(() => makeFileOnce(join(folder.path, "none", "file"), "x")).toThrow(/ENOENT/);
  });
});
