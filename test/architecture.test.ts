import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const maxLines = 300;
const processes = ["workers", "relay", "tee-bot"];

/** One import of one file, its target as a path from the root, or as it is written for a package. */
interface Import {
  file: string;
  target: string;
}

interface Rule {
  reason: string;
  refuses: (file: string, target: string) => boolean;
}

const within = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);
const isTest = (path: string): boolean => within(path, "test");

const rules: readonly Rule[] = [
  {
    reason: "processes meet on the wire, never by import",
    refuses: (file, target) =>
      processes.some((one) => within(file, one) && processes.some((other) => other !== one && within(target, other))),
  },
  {
    reason: "shared/ is what the processes agree on, so it depends on none of them",
    refuses: (file, target) =>
      within(file, "shared") && [...processes, "scripts"].some((folder) => within(target, folder)),
  },
  {
    reason: "shared/ runs anywhere: what needs Node is in shared/nodejs",
    refuses: (file, target) =>
      within(file, "shared") &&
      !within(file, "shared/nodejs") &&
      (target.startsWith("node:") || within(target, "shared/nodejs")),
  },
  {
    reason: "shared/ runs anywhere: what needs Cloudflare is in workers/",
    refuses: (file, target) => within(file, "shared") && target.startsWith("cloudflare:"),
  },
  {
    reason: "relay and node run on Node, which has no cloudflare: modules",
    refuses: (file, target) =>
      ["relay", "tee-bot"].some((one) => within(file, one)) && target.startsWith("cloudflare:"),
  },
  {
    reason: "the edge runs on workerd, where shared/nodejs does not",
    refuses: (file, target) => within(file, "workers") && within(target, "shared/nodejs"),
  },
  {
    reason: "the edge judges no evidence, and its bundle has no room for it",
    refuses: (file, target) => within(file, "workers") && within(target, "shared/attestation"),
  },
  {
    reason:
      "who posts a message to the bot reads nothing until it is answered, so what receives must be unable to call",
    refuses: (file, target) =>
      within(file, "tee-bot/bot/receive") && ["send", "account"].some((room) => within(target, `tee-bot/bot/${room}`)),
  },
  {
    reason: "nothing that ships depends on a test",
    refuses: (file, target) => !isTest(file) && isTest(target),
  },
];

/** What must be a default export: the runtime or the tool looks for it there. */
const defaultExports = [
  /(^|\/)[a-z.]+\.config\.ts$/,
  /^workers\/index\.ts$/,
  /^test\/(workers\/support\/worker|scripts\/bundle\/[a-z-]+-worker|bench\/edge\/counting-edge)\.ts$/,
];

const files = globSync(["*.ts", `{${processes.join()},shared,scripts,test}/**/*.ts`], { cwd: root });
const sources = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]));
const imports = [...sources].flatMap(([file, source]) => importsOf(file, source));

describe("the imports of every file", () => {
  it.each(rules.map(({ reason, refuses }) => [reason, refuses] as const))("keep the rule: %s", (_, refuses) => {
    const refused = imports.filter(({ file, target }) => refuses(file, target));
    expect(refused.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
  });
});

describe("every file", () => {
  it(`outside test/ has at most ${maxLines} lines`, () => {
    const long = [...sources].filter(([file, source]) => !isTest(file) && source.split("\n").length - 1 > maxLines);
    expect(long.map(([file]) => `${file}: look for the second idea inside it`)).toEqual([]);
  });

  it("exports by name, but for those whose reader looks for a default", () => {
    const found = [...sources].filter(([, source]) => /^export (default\b|\{[^}]*\bas default\b)/m.test(source));
    const refused = found.filter(([file]) => !defaultExports.some((pattern) => pattern.test(file)));
    expect(refused.map(([file]) => file)).toEqual([]);
  });
});

describe("these rules", () => {
  it("see the imports there are", () => {
    const of = (file: string): string[] => imports.filter((one) => one.file === file).map(({ target }) => target);
    expect(of("shared/tls/client-hello.ts")).toEqual(["shared/tls/alert.ts", "shared/tls/hello-message.ts"]);
    expect(of("shared/nodejs/reset.ts")).toContain("node:net");
    for (const folder of [...processes, "shared", "scripts", "test"])
      expect(imports.some(({ file }) => within(file, folder))).toBe(true);
  });

  it.each([
    ["relay/x.ts", 'import { a } from "../tee-bot/a.ts";'],
    ["tee-bot/deep/x.ts", 'export * from "../../workers/a.ts";'],
    ["workers/x.ts", 'const a = await import("../relay/a.ts");'],
    ["workers/x.ts", 'import type {\n  A,\n} from "../shared/nodejs/a.ts";'],
    ["workers/x.ts", 'import { a } from "../shared/attestation/a.ts";'],
    ["tee-bot/bot/receive/x.ts", 'import { a } from "../send/a.ts";'],
    ["shared/x.ts", 'import "../relay/a.ts";'],
    ["shared/x.ts", 'import { readFileSync } from "node:fs";'],
    ["shared/x.ts", 'import { a } from "./nodejs/a.ts";'],
    ["shared/nodejs/x.ts", 'import { DurableObject } from "cloudflare:workers";'],
    ["relay/x.ts", 'import { DurableObject } from "cloudflare:workers";'],
    ["scripts/x.ts", 'import { a } from "../test/support/a.ts";'],
  ])("refuse in %s: %s", (file, source) => {
    const [found] = importsOf(file, source);
    expect(rules.some(({ refuses }) => found && refuses(found.file, found.target))).toBe(true);
  });
});

/** Static, type-only, side-effect and dynamic imports, and re-exports; a name in a comment would be seen too. */
function importsOf(file: string, source: string): Import[] {
  const pattern = /(?:^\s*(?:import|export)\b[^"';]*?\bfrom\s*|^\s*import\s*|\bimport\(\s*)"([^"]+)"/gm;
  return [...source.matchAll(pattern)].map(([, specifier = ""]) => ({
    file,
    target: specifier.startsWith(".") ? relative(root, join(root, dirname(file), specifier)) : specifier,
  }));
}
