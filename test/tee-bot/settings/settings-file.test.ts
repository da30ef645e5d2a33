import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadSettings } from "../../../tee-bot/settings/load-settings.ts";
import { findSettingsFile, readSettingsFile, writeSettingsFile } from "../../../tee-bot/settings/settings-file.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const at = (...names: string[]): string => join(folder.path, ...names);

describe("the settings file", () => {
  it("is the one that is named, else postern.yaml in the state directory", () => {
    expect(findSettingsFile({})).toEqual({ path: resolve(".postern/node/postern.yaml"), named: false });
    expect(findSettingsFile({ POSTERN_STATE: "/s" })).toEqual({ path: "/s/postern.yaml", named: false });
    expect(findSettingsFile({ POSTERN_STATE: "/s", POSTERN_CONFIG: "a.yml" })).toEqual({
      path: resolve("a.yml"),
      named: true,
    });
    expect(findSettingsFile({ POSTERN_STATE: "", POSTERN_CONFIG: "" })).toMatchObject({ named: false });
  });

  it("need not be there, unless it was named", () => {
    expect(readSettingsFile({ path: at("none.yaml"), named: false })).toBeUndefined();
    expect(() => readSettingsFile({ path: at("none.yaml"), named: true })).toThrow(/cannot be read.*ENOENT.*--config/);
    expect(() => loadSettings({ POSTERN_CONFIG: at("none.yaml") })).toThrow(/none\.yaml/);
  });

  it("that is a folder, or too large, is refused", () => {
    mkdirSync(at("folder.yaml"));
    expect(() => readSettingsFile({ path: at("folder.yaml"), named: false })).toThrow(/is no file/);
    writeFileSync(at("large.yaml"), "#".repeat(1024 * 1024 + 1));
    expect(() => readSettingsFile({ path: at("large.yaml"), named: false })).toThrow(/at most 1048576/);
  });

  it("keeps its mode when it is written, also behind a link; a new one is for its owner only", () => {
    writeFileSync(at("real.yaml"), "old");
    chmodSync(at("real.yaml"), 0o640);
    symlinkSync("real.yaml", at("link.yaml"));
    writeSettingsFile({ path: at("link.yaml"), named: true }, "new");
    expect(lstatSync(at("link.yaml")).isSymbolicLink()).toBe(true);
    expect(readFileSync(at("real.yaml"), "utf8")).toBe("new");
    expect(statSync(at("real.yaml")).mode & 0o777).toBe(0o640);
    writeSettingsFile({ path: at("fresh.yaml"), named: true }, "new");
    expect(statSync(at("fresh.yaml")).mode & 0o777).toBe(0o600);
  });

  it("has paths that begin where it is", () => {
    const lines =
      "gateway:\n  providers: [{kind: near-ai, keyFile: a.key}]\n  embedded: {models: [{path: m/x.gguf}, {path: /y.gguf}]}\n";
    writeFileSync(at("paths.yaml"), `version: 1\nattestation: {socket: run/dstack.sock}\n${lines}`);
    const read = loadSettings({ POSTERN_CONFIG: at("paths.yaml") });
    if (!read.ok) return expect.fail(read.mistakes.join());
    const { providers, embedded } = read.effective.settings.gateway;
    expect(read.effective.settings.attestation.socket).toBe(at("run/dstack.sock"));
    expect(providers[0]?.keyFile).toBe(at("a.key"));
    expect(embedded.models.map(({ path }) => path)).toEqual([at("m/x.gguf"), "/y.gguf"]);
  });
});
