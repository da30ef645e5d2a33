import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { migrateText } from "../../../tee-bot/settings/edit.ts";
import { migrations } from "../../../tee-bot/settings/migrations/migrations.ts";
import { readSettings } from "../../../tee-bot/settings/read-settings.ts";
import { settingsVersion } from "../../../tee-bot/settings/schema.ts";
import { root } from "../../support/postern.ts";

const folder = join(root, "tee-bot/settings/migrations");
const read = (text: string) => readSettings({ name: "postern.yaml", text }, {});

const versionZero = `# My node.

# where names come from
edge: https://edge.example.com # ours
acme-account: node

# a free port
gateway-port: 8080
gateway:
  # at home only
  strategy: local-only

# the end
`;

const versionOne = `# My node.
version: 1
node:
  # where names come from
  edge: https://edge.example.com # ours
  acmeAccount: node
  ports:
    # a free port
    gateway: 8080
gateway:
  # at home only
  strategy: local-only

# the end
`;

describe("migrations", () => {
  it("are numbered one after the other, listed in that order, and end at the present version", () => {
    const files = globSync("[0-9]*.ts", { cwd: folder }).toSorted();
    expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, index) => index + 1));
    const list = readFileSync(join(folder, "migrations.ts"), "utf8");
    expect([...list.matchAll(/from "\.\/(\d[^"]*)"/g)].map(([, file]) => file)).toEqual(files);
    expect(migrations).toHaveLength(settingsVersion);
  });

  it("bring version 0 to 1 with its comments and its order", () => {
    expect(migrateText(versionZero)).toEqual({ text: versionOne, from: 0 });
  });

  it("are made in memory when a file is read, and its mistakes are where they stand in the file", () => {
    const result = read(versionZero);
    if (!result.ok) return expect.fail(result.mistakes.join("\n"));
    expect(result.effective.version).toBe(0);
    expect(result.effective.settings.node).toMatchObject({
      edge: "https://edge.example.com",
      ports: { gateway: 8080 },
    });
    expect(result.effective.originOf(["node", "ports", "gateway"])).toBe("postern.yaml:8");
    expect(read("# old\nalias: Bob\n")).toEqual({
      ok: false,
      mistakes: ["postern.yaml:2:8 node.alias: Use lower case."],
    });
  });

  it("leave what stands in its new place already, and tell the old name as unknown", () => {
    const both = "alias: old\nnode:\n  alias: new\n";
    expect(read(both)).toEqual({
      ok: false,
      mistakes: [
        "postern.yaml:1:1 alias: there is no such setting · give one of version, node, attestation, gateway, signal, inbox",
      ],
    });
  });

  it.each([
    ["gateway:\n  strategy: local-only\n"],
    ["version: 0\nedge: https://x.test\n"],
    ["edge: https://x.test\nnode:\n"],
  ])("bring %j to the present version once, and then change nothing", (text) => {
    const once = migrateText(text);
    expect(once.from).toBe(0);
    expect(once.text.match(/^version: 1$/gm)).toHaveLength(1);
    expect(read(once.text)).toMatchObject({ ok: true, effective: { version: settingsVersion } });
    expect(migrateText(once.text)).toEqual({ text: once.text, from: settingsVersion });
  });

  it("refuse a file of a version to come, and say so", () => {
    expect(read("version: 7\nfuture: true\n")).toEqual({
      ok: false,
      mistakes: ["postern.yaml:1:10 version: the file is of version 7, this Postern knows 1 · use a newer Postern"],
    });
    for (const text of ["version: one\n", "version: -1\n", "version: 1.5\n"])
      expect(read(text)).toEqual({
        ok: false,
        mistakes: ["postern.yaml:1:10 version: not a value it can have · give 1"],
      });
  });
});
