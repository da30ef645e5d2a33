/** What the commands of `postern config` do; each returns what is printed, or throws {@link CliError}. */
import { copyFileSync } from "node:fs";
import { parse } from "yaml";
import { migrateText, setSetting } from "../settings/edit.ts";
import { findMisspelt } from "../settings/environment.ts";
import { loadSettings } from "../settings/load-settings.ts";
import { parsePath } from "../settings/path.ts";
import { readSettings, type EffectiveSettings } from "../settings/read-settings.ts";
import { settingsVersion } from "../settings/schema.ts";
import { findSettingsFile, nameOf, readSettingsFile, writeSettingsFile } from "../settings/settings-file.ts";
import { formatSettings, listSettings } from "../settings/show.ts";
import { CliError } from "./failure.ts";

export function checkSettings(environment: NodeJS.ProcessEnv): string {
  const file = findSettingsFile(environment);
  const { present, version } = load(environment);
  const hints = findMisspelt(environment)
    .map(({ name, meant }) => `${name} is not read. Is ${meant} meant?\n`)
    .join("");
  if (!present) return `There is no ${file.path}: everything is as by default.\n${hints}`;
  const old =
    version === settingsVersion
      ? ""
      : ` It is of version ${version}; postern config migrate brings it to ${settingsVersion}.`;
  return `${file.path} is good.${old}\n${hints}`;
}

export function showSettings(environment: NodeJS.ProcessEnv, json: boolean): string {
  const { path } = findSettingsFile(environment);
  const effective = load(environment);
  if (json) return `${JSON.stringify({ file: effective.present ? path : null, settings: listSettings(effective) })}\n`;
  return `# ${path}${effective.present ? "" : " (not there)"}\n${formatSettings(effective)}`;
}

export function migrateSettings(environment: NodeJS.ProcessEnv): string {
  const file = findSettingsFile(environment);
  const before = readSettingsFile({ ...file, named: true }) ?? "";
  const { version } = load(environment);
  if (version === settingsVersion) return `${file.path} is of version ${settingsVersion} already.\n`;
  const backup = `${file.path}.bak`;
  copyFileSync(file.path, backup); // with its mode
  writeSettingsFile(file, migrateText(before).text);
  return `${file.path} was of version ${version} and is now of ${settingsVersion}. The file before is ${backup}.\n`;
}

export function changeSetting(environment: NodeJS.ProcessEnv, setting: string, value: string): string {
  const file = findSettingsFile(environment);
  const path = parsePath(setting);
  if (!path || path[0] === "version") throw refused(`${setting} is no setting.`, "postern config show lists them.");
  const before = readSettingsFile({ ...file, named: false });
  // What the environment says is not in the file.
  const old = readSettings({ name: nameOf(file), text: before }, {});
  if (old.ok && old.effective.version < settingsVersion)
    throw refused(`${file.path} is of version ${old.effective.version}.`, "First run: postern config migrate");
  const text = setSetting(before ?? "", path, valueOf(value));
  const read = readSettings({ name: nameOf(file), text }, {});
  if (!read.ok) throw refused(read.mistakes.join("\n"), "Give another value, or mend the file first.");
  writeSettingsFile(file, text);
  const wins = load(environment).originOf(path);
  const hidden = wins.startsWith(nameOf(file)) ? "" : ` ${wins} is set and wins over it.`;
  return `${setting} is set in ${file.path}.${hidden}\n`;
}

function valueOf(text: string): unknown {
  try {
    return parse(text, { prettyErrors: false, maxAliasCount: 0, logLevel: "error" });
  } catch {
    throw refused("The value is not YAML.", "Put it in quotes, and those in quotes of the shell: '\"value\"'.");
  }
}

function load(environment: NodeJS.ProcessEnv): EffectiveSettings {
  const read = loadSettings(environment);
  if (read.ok) return read.effective;
  throw new CliError({
    what: "The settings cannot be used.",
    why: read.mistakes.join("\n"),
    remedy: "Mend each where it says; docs/postern.example.yaml shows every setting.",
  });
}

function refused(why: string, remedy: string): CliError {
  return new CliError({ what: "Nothing was changed.", why, remedy });
}
