import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSecret } from "../../../../tee-bot/gateway/providers/secret.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";

describe("the key of a provider", () => {
  it("comes from the environment or from a file, and is not needed where neither is named", () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "key");
    writeFileSync(path, "sk-file\n");
    expect(readSecret({ keyFile: path }, {})).toBe("sk-file");
    expect(readSecret({ keyEnv: "MY_KEY" }, { MY_KEY: " sk-env " })).toBe("sk-env");
    expect(readSecret({}, { MY_KEY: "sk-env" })).toBeUndefined();
  });

  it("is missed by the name of where it should be", () => {
    expect(() => readSecret({ keyEnv: "MY_KEY" }, {})).toThrow("no key in the environment variable MY_KEY");
    expect(() => readSecret({ keyFile: "/nowhere/key" }, {})).toThrow(/keyFile.*ENOENT/);
    expect(() => readSecret({ keyFile: "/" }, {})).toThrow(/keyFile/);
  });

  it("is one line that fits a header, and is never told", () => {
    for (const key of ["sk one two", "sk-1\r\nx-evil: 1", "ключ", "k".repeat(9_000)]) {
      const read = (): unknown => readSecret({ keyEnv: "K" }, { K: key });
      expect(read).toThrow("is no key");
      expect(read).not.toThrow(key.slice(0, 5));
    }
  });

  it("in a file without end is not read to its end", () => {
    expect(() => readSecret({ keyFile: "/dev/zero" }, {})).toThrow("is no key");
  });
});
