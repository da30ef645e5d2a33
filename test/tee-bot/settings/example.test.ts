import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { outline } from "../../../tee-bot/settings/outline.ts";
import { valueAt } from "../../../tee-bot/settings/path.ts";
import { readSettings } from "../../../tee-bot/settings/read-settings.ts";
import { settingsSchema } from "../../../tee-bot/settings/schema.ts";
import { parseYaml } from "../../../tee-bot/settings/yaml-text.ts";
import { root } from "../../support/postern.ts";

const text = readFileSync(join(root, "docs/postern.example.yaml"), "utf8");
const read = (content: string) => readSettings({ name: "example", text: content }, {});
/** As if somebody had taken the # away from every setting that has none before it, and the empty lists with them. */
const filled = text
  .replaceAll(/^ +(providers|models|aliases|hooks): (\[\]|\{\})\n/gm, "")
  .replaceAll(/^( *)#(?! \S)/gm, "$1");

describe("docs/postern.example.yaml", () => {
  it("says what is so by default", () => {
    const [example, empty] = [read(text), read("")];
    expect(example).toMatchObject({ ok: true });
    if (example.ok && empty.ok) expect(example.effective.settings).toEqual(empty.effective.settings);
  });

  it("names every default setting, and every other one in a line to be uncommented", () => {
    const [plain, whole] = [parseYaml(text), parseYaml(filled)];
    if (!plain.ok || !whole.ok) return expect.fail(JSON.stringify([plain, whole]));
    const defaults = settingsSchema.parse({});
    for (const { path } of outline) {
      expect.soft(valueAt(whole.yaml.data, path), path.join(".")).toBeDefined();
      expect.soft(valueAt(plain.yaml.data, path), path.join(".")).toEqual(valueAt(defaults, path));
    }
  });

  it("is good with every line uncommented, and shows every kind of provider with all that it may say", () => {
    const result = read(filled);
    if (!result.ok) return expect.fail(result.mistakes.join("\n"));
    const { providers, embedded, aliases } = result.effective.settings.gateway;
    const shape = z.toJSONSchema(settingsSchema, { io: "input" }) as never;
    const names = (path: string[]): string[] => Object.keys(valueAt(shape, path) ?? {});
    const gateway = ["properties", "gateway", "properties"];
    const kinds = valueAt(shape, [...gateway, "providers", "items", "oneOf"]) as { properties: object }[];
    const given = new Set(providers.flatMap((one) => Object.keys(one)));
    expect(providers).toHaveLength(kinds.length);
    for (const { properties } of kinds) for (const name of Object.keys(properties)) expect.soft(given).toContain(name);
    expect(Object.keys(embedded.models[0] ?? {})).toEqual(
      names([...gateway, "embedded", "properties", "models", "items", "properties"]),
    );
    expect(Object.values(aliases)).toContainEqual(expect.objectContaining({ delivery: "whole" }));
  });
});
