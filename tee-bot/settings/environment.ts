/** Settings that environment variables give. They win over the file; a flag of the same meaning wins over them. */
import { nearName } from "./near-name.ts";
import { outline, type Setting } from "./outline.ts";
import { formatPath, isSamePath, type SettingPath } from "./path.ts";

/** A setting that one variable can hold. */
export interface Variable {
  readonly name: string;
  readonly setting: Setting;
}

export interface GivenVariable extends Variable {
  readonly value: string | number | boolean;
}

/** Names that are older than the file. */
const ownNames: Readonly<Record<string, string>> = {
  "node.ports.gateway": "POSTERN_GATEWAY_PORT",
  "node.ports.control": "POSTERN_CONTROL_PORT",
  "node.logLevel": "LOG_LEVEL",
};

/** `node.acmeAccount` is POSTERN_ACME_ACCOUNT, `gateway.keys.public` is POSTERN_GATEWAY_KEYS_PUBLIC; lists and tables have none. */
export const variables: readonly Variable[] = outline
  .filter(({ kind }) => kind !== "list" && kind !== "table")
  .map((setting) => ({ name: ownNames[formatPath(setting.path)] ?? nameOf(setting.path), setting }));

/** What the environment says. A variable that is empty counts as absent. */
export function readVariables(environment: NodeJS.ProcessEnv): GivenVariable[] {
  return variables.flatMap(({ name, setting }) => {
    const text = environment[name];
    return text === undefined || text === "" ? [] : [{ name, setting, value: valueOf(text.trim(), setting.kind) }];
  });
}

export function variableOf(path: SettingPath): string | undefined {
  return variables.find(({ setting }) => isSamePath(setting.path, path))?.name;
}

const sectionPrefixes = ["POSTERN_GATEWAY_", "POSTERN_ATTESTATION_", "POSTERN_SIGNAL_"];

/** Variables of these sections that nobody reads, though one of nearly that name is read. */
export function findMisspelt(environment: NodeJS.ProcessEnv): { readonly name: string; readonly meant: string }[] {
  return sectionPrefixes.flatMap((prefix) => {
    const tailsOf = (names: readonly string[]): string[] =>
      names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    const known = tailsOf(variables.map(({ name }) => name));
    return tailsOf(Object.keys(environment)).flatMap((tail) => {
      const meant = known.includes(tail) ? undefined : nearName(tail, known);
      return meant === undefined ? [] : [{ name: prefix + tail, meant: prefix + meant }];
    });
  });
}

function nameOf(path: SettingPath): string {
  const steps = path[0] === "node" ? path.slice(1) : path;
  return [
    "POSTERN",
    ...steps.map((step) =>
      String(step)
        .replace("MiB", "Mib")
        .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2"),
    ),
  ]
    .join("_")
    .toUpperCase();
}

/** Text that is no number or switch stays text, for the schema to refuse. */
function valueOf(text: string, kind: Setting["kind"]): string | number | boolean {
  if (kind === "number" && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (kind === "switch" && (text === "true" || text === "false")) return text === "true";
  return text;
}
