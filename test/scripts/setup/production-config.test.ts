import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { unstable_readConfig as readWranglerConfig } from "wrangler";
import { productionConfig, readDeployment, writeDeployment } from "../../../scripts/setup/production-config.ts";
import { projectRoot } from "../../../scripts/wrangler.ts";

const directory = mkdtempSync(join(tmpdir(), "postern-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

const deployment = {
  name: "my-edge",
  host: "edge.example.org",
  vars: { ZONE: "nodes.example.com", ACME_ROOTS: '-----BEGIN "X"-----\nAA==\n', CLOUDFLARE_API_TOKEN: "never-here" },
};

test("the deployment's configuration is that of development but for name, host and variables", () => {
  const path = join(directory, "one.toml");
  writeDeployment(deployment, path);
  const development = readWranglerConfig({ config: join(projectRoot, "wrangler.toml") });
  const production = readWranglerConfig({ config: path });
  expect(production).toMatchObject({ name: "my-edge", workers_dev: false, vars: { ZONE: "nodes.example.com" } });
  expect(production.routes).toEqual([{ pattern: "edge.example.org", custom_domain: true }]);
  for (const key of [
    "compatibility_date",
    "compatibility_flags",
    "minify",
    "keep_names",
    "migrations",
    "alias",
  ] as const)
    expect(production[key]).toEqual(development[key]);
  expect(production.durable_objects).toEqual(development.durable_objects);
  expect(Object.keys(production.vars).toSorted()).toEqual(["ACME_ROOTS", "ZONE"]);
});

test("what is written is read again, and written once only", async () => {
  const path = join(directory, "two.toml");
  expect(await readDeployment(path)).toBeUndefined();
  expect(writeDeployment(deployment, path)).toBe(true);
  expect(writeDeployment(deployment, path)).toBe(false);
  const { CLOUDFLARE_API_TOKEN: _, ...vars } = deployment.vars;
  expect(await readDeployment(path)).toEqual({ ...deployment, vars });
  expect(readFileSync(path, "utf8")).not.toContain("never-here");
});

test("without a host the edge is at workers.dev", () => {
  const text = productionConfig('name = "x"\nmain = "a.ts"\n', { ...deployment, host: undefined });
  expect(text).toContain('name = "my-edge"\nworkers_dev = true\nmain = "a.ts"');
});
