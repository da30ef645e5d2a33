/** The deployment's own wrangler configuration: wrangler.toml with the operator's name, variables and host. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { secretNames, type Given } from "./settings.ts";
import { projectRoot } from "../wrangler.ts";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";

export interface Deployment {
  readonly name: string;
  /** Without it the edge is at the account's workers.dev. */
  readonly host: string | undefined;
  readonly vars: Given;
}

/** Beside wrangler.toml, since the paths in it are relative. */
export const productionConfigPath = join(projectRoot, "wrangler.production.toml");

/** The deployment of last time; undefined before the first. */
export async function readDeployment(path = productionConfigPath): Promise<Deployment | undefined> {
  if (!statSync(path, { throwIfNoEntry: false })) return undefined;
  const { unstable_readConfig: readWranglerConfig } = await import("wrangler"); // takes a second to load
  const { name, vars, routes } = readWranglerConfig({ config: path }, { hideWarnings: true });
  const [route] = routes ?? [];
  return {
    name: name ?? "postern-edge",
    host: typeof route === "object" ? route.pattern : undefined,
    vars: Object.fromEntries(Object.entries(vars).map(([variable, value]) => [variable, String(value)])),
  };
}

/** Whether the file had to be changed. */
export function writeDeployment(deployment: Deployment, path = productionConfigPath): boolean {
  const text = productionConfig(readFileSync(join(projectRoot, "wrangler.toml"), "utf8"), deployment);
  if (statSync(path, { throwIfNoEntry: false }) && readFileSync(path, "utf8") === text) return false;
  writeFileAtomic(path, text);
  return true;
}

const head = `# Written by npm run setup:edge from wrangler.toml, at every run. Only the name, the host and [vars] are taken over from
# the last run: change them here or by its flags, and run it again. Secrets never stand here.
`;

export function productionConfig(template: string, { name, host, vars }: Deployment): string {
  const routes = host === undefined ? "" : `routes = [{ pattern = ${quoted(host)}, custom_domain = true }]\n`;
  const lines = Object.entries(vars)
    .filter(([variable]) => !secretNames.includes(variable))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([variable, value]) => `${variable} = ${quoted(value)}\n`);
  return template
    .replace(/^(#.*\n)+/, head)
    .replace(/^name = .*\n/m, `name = ${quoted(name)}\nworkers_dev = ${host === undefined}\n${routes}`)
    .replace(/^\[vars\]\n(?:[^[\n].*\n)*/m, `[vars]\n${lines.join("")}`);
}

/** A TOML basic string; JSON's escapes are among TOML's. */
const quoted = (text: string): string => JSON.stringify(text);
