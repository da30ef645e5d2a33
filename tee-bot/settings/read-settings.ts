import type { Document } from "yaml";
import { checkTogether } from "./cross-checks.ts";
import { describeIssue } from "./describe-issue.ts";
import { readVariables, variableOf, type GivenVariable } from "./environment.ts";
import { migrate } from "./migrate.ts";
import type { Mistake } from "./mistake.ts";
import { isContainer } from "./outline.ts";
import { formatPath, isSamePath, valueAt, type SettingPath } from "./path.ts";
import { settingsSchema, settingsVersion, type Settings } from "./schema.ts";
import { parseYaml, type YamlText } from "./yaml-text.ts";

/** Settings that can be used, and where each comes from. */
export interface EffectiveSettings {
  readonly settings: Settings;
  /** Of the file as it stands; it was migrated in memory when that is not {@link settingsVersion}. */
  readonly version: number;
  /** Whether there is a file. */
  readonly present: boolean;
  /** `postern.yaml:5`, the name of a variable, or `default`. */
  originOf(path: SettingPath): string;
}

export type ReadSettings =
  | { readonly ok: true; readonly effective: EffectiveSettings }
  /** One line for each. */
  | { readonly ok: false; readonly mistakes: string[] };

/** A setting without a default that somebody cannot do without. */
export interface Requirement {
  readonly path: SettingPath;
  readonly text: string;
}

export interface SettingsText {
  /** As mistakes call the file. */
  readonly name: string;
  /** Undefined: there is no file. */
  readonly text: string | undefined;
}

/** Reads the file's text under the environment; all mistakes of both are told together, each with its place. */
export function readSettings(
  { name, text }: SettingsText,
  environment: NodeJS.ProcessEnv,
  required: readonly Requirement[] = [],
): ReadSettings {
  let version = settingsVersion;
  const parsed = parseYaml(text ?? "", (document: Document) => void (version = migrate(document)));
  if (!parsed.ok)
    return { ok: false, mistakes: parsed.mistakes.map((one) => `${name}:${one.line}:${one.column} ${one.text}`) };
  const { yaml } = parsed;
  const given = readVariables(environment);
  const place = placeIn(name, yaml, given);
  if (version > settingsVersion)
    return {
      ok: false,
      mistakes: place([
        {
          path: ["version"],
          text: `the file is of version ${version}, this Postern knows ${settingsVersion} · use a newer Postern`,
        },
      ]),
    };

  const data = withVariables(withoutEmpty(yaml.data), given);
  const read = settingsSchema.safeParse(data);
  const mistakes = [
    ...(read.error?.issues ?? []).flatMap((issue) => describeIssue(issue, data)),
    ...checkTogether(data),
  ];
  const missing = required.filter(({ path }) => valueAt(data, path) === undefined);
  if (!read.success || mistakes.length + missing.length > 0)
    return {
      ok: false,
      mistakes: [...missing.map((one) => `${variableOf(one.path)}: ${one.text}`), ...place(mistakes)],
    };
  return {
    ok: true,
    effective: { settings: read.data, version, present: text !== undefined, originOf: originIn(name, yaml, given) },
  };
}

/** A table or list whose lines are all commented out is none. */
function withoutEmpty(data: unknown, path: SettingPath = []): unknown {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return data;
  const entries = Object.entries(data as Record<string, unknown>);
  return Object.fromEntries(
    entries
      .filter(([name, value]) => value !== null || !isContainer([...path, name]))
      .map(([name, value]) => [name, withoutEmpty(value, [...path, name])]),
  );
}

function withVariables(data: unknown, given: readonly GivenVariable[]): unknown {
  return given.reduce((result, { setting, value }) => withValue(result, setting.path, value), data);
}

/** Where a table is wanted and something else stands, that stays: it is a mistake of its own. */
function withValue(data: unknown, [step, ...rest]: SettingPath, value: unknown): unknown {
  if (step === undefined) return value;
  if (data !== undefined && (typeof data !== "object" || data === null || Array.isArray(data))) return data;
  return { ...data, [step]: withValue(valueAt(data, [step]), rest, value) };
}

function placeIn(name: string, yaml: YamlText, given: readonly GivenVariable[]) {
  const placed = ({ path, text, atName }: Mistake) => {
    const variable = given.find(({ setting }) => isSamePath(setting.path, path));
    if (variable) return { line: 0, column: 0, words: `${variable.name}: ${text}` };
    const { line, column } = yaml.locate(path, atName);
    const setting = path.length > 0 ? `${formatPath(path)}: ` : "";
    return { line, column, words: `${name}:${line}:${column} ${setting}${text}` };
  };
  return (mistakes: readonly Mistake[]): string[] =>
    mistakes
      .map(placed)
      .toSorted((a, b) => a.line - b.line || a.column - b.column)
      .map(({ words }) => words);
}

function originIn(name: string, yaml: YamlText, given: readonly GivenVariable[]) {
  return (path: SettingPath): string => {
    const variable = variableOf(path);
    if (given.some((one) => one.name === variable)) return variable ?? "";
    const value = valueAt(yaml.data, path);
    return value === undefined || value === null ? "default" : `${name}:${yaml.locate(path, true).line}`;
  };
}
