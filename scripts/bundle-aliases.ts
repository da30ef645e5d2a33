import { join } from "node:path";
import { unstable_readConfig as readWranglerConfig } from "wrangler";
import { projectRoot } from "./wrangler.ts";

/** What stands for packages in the edge's bundle, by wrangler.toml: the name of each, and the absolute path instead. */
export function bundleAliases(): { name: string; path: string }[] {
  const { alias } = readWranglerConfig({ config: join(projectRoot, "wrangler.toml") });
  return Object.entries<string>(alias ?? {}).map(([name, path]) => ({ name, path: join(projectRoot, path) }));
}
