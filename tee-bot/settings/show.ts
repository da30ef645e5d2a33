import { stringify } from "yaml";
import { variableOf } from "./environment.ts";
import { outline } from "./outline.ts";
import { formatPath, valueAt, type SettingPath } from "./path.ts";
import type { EffectiveSettings } from "./read-settings.ts";
import { formatTarget } from "../expose/target.ts";

/** One setting as it is in force. */
export interface ShownSetting {
  readonly path: string;
  /** Null: not set, and without a default. */
  readonly value: unknown;
  /** `postern.yaml:5`, the name of a variable, or `default`. */
  readonly from: string;
  /** Which variable would set it; null: none can. */
  readonly variable: string | null;
}

/** Every setting there is, in the order of the schema. None of them is a secret: the file has only names of those. */
export function listSettings(effective: EffectiveSettings): ShownSetting[] {
  return outline.map(({ path }) => ({
    path: formatPath(path),
    value: valueOf(effective, path),
    from: effective.originOf(path),
    variable: variableOf(path) ?? null,
  }));
}

const column = 42;

/** The settings as a `postern.yaml` that says the same, and in comments where each comes from. */
export function formatSettings(effective: EffectiveSettings): string {
  const lines = [`version: ${effective.settings.version}`];
  let above: SettingPath = [];
  for (const { path } of outline) {
    const tables = path.slice(0, -1);
    const shared = tables.findIndex((step, index) => step !== above[index]);
    if (shared >= 0)
      for (const [depth, step] of tables.entries()) if (depth >= shared) lines.push(`${indent(depth)}${step}:`);
    above = tables;
    lines.push(...linesOf(path, valueOf(effective, path), originInWords(effective, path)));
  }
  return `${lines.join("\n")}\n`;
}

function linesOf(path: SettingPath, value: unknown, origin: string): string[] {
  const depth = path.length - 1;
  const name = String(path.at(-1));
  if (value === null) return [`${`${indent(depth)}# ${name}:`.padEnd(column)} # ${origin}`];
  const isEmpty = typeof value === "object" && Object.keys(value).length === 0;
  const [first = "", ...rest] = stringify({ [name]: value }, { lineWidth: 0 })
    .trimEnd()
    .split("\n");
  const head = `${indent(depth)}${first}`.padEnd(column);
  return [`${head} # ${origin}`, ...(isEmpty ? [] : rest.map((line) => indent(depth) + line))];
}

function originInWords(effective: EffectiveSettings, path: SettingPath): string {
  const origin = effective.originOf(path);
  const variable = variableOf(path);
  const words = valueOf(effective, path) === null ? "not set" : origin;
  return variable === undefined || variable === origin ? words : `${words}, ${variable}`;
}

function valueOf({ settings }: EffectiveSettings, path: SettingPath): unknown {
  const { expose } = settings.node;
  const asText = { ...settings, node: { ...settings.node, expose: expose && formatTarget(expose) } };
  return valueAt(asText, path) ?? null;
}

function indent(depth: number): string {
  return "  ".repeat(depth);
}
