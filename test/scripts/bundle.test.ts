import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { buildWorker, metafileName } from "../../scripts/build-worker.ts";
import { bundleAliases } from "../../scripts/bundle-aliases.ts";
import { compatibilityDate, compatibilityFlags, edgeWorkerOptions } from "../../scripts/edge-worker.ts";
import { createLocalCa } from "../../scripts/local-ca.ts";
import { projectRoot, quietEnvironment, wranglerProgram } from "../../scripts/wrangler.ts";
import { systemClock } from "../../shared/clock.ts";
import { readOrCreateIdentity } from "../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../shared/registry/edge-client.ts";
import { orderSchema, registrationSchema } from "../../shared/registry/messages.ts";
import { createCsr } from "../../tee-bot/certificate/csr.ts";
import { readOrCreateTlsKey } from "../../tee-bot/certificate/tls-key.ts";

/** A Worker is loaded wherever a request comes in first: what is not in it starts sooner. Cloudflare's own limit is far. */
const maxBundleBytes = 600 * 1024;

const zone = "postern.localhost";
const directory = mkdtempSync(join(tmpdir(), "postern-bundle-"));
const outDir = join(directory, "out");
let bundle: string;

beforeAll(async () => {
  bundle = await buildWorker({ outDir });
}, 60_000);
afterAll(() => rmSync(directory, { recursive: true }));

test("the edge's bundle stays within 600 KiB, minified", () => {
  const { size } = statSync(bundle);
  const largest = bytesByPackage(join(outDir, metafileName)).slice(0, 10);
  const told = largest.map(([name, bytes]) => `${(bytes / 1024).toFixed(0)} KiB ${name}`).join(", ");
  expect(size, `${(size / 1024).toFixed(0)} KiB; the largest packages: ${told}`).toBeLessThanOrEqual(maxBundleBytes);
});

test("no package is in the bundle that another file stands for", () => {
  const packages = bytesByPackage(join(outDir, metafileName)).map(([name]) => name);
  const byPath = new Set(["zod", "asn1js"]); // of these a part is there, by the path of its modules
  const replaced = bundleAliases().filter(({ name, path }) => !path.includes("node_modules") && !byPath.has(name));
  expect(packages.filter((name) => replaced.some((alias) => alias.name === name))).toEqual([]);
});

test("every name of zod that the edge uses is in the bundle's zod", async () => {
  const files = globSync("{workers,shared}/**/*.ts", { cwd: projectRoot, exclude: ["shared/{nodejs,attestation}/**"] });
  const used = files.flatMap((file) =>
    [...readFileSync(join(projectRoot, file), "utf8").matchAll(/\bz\.([a-zA-Z]\w*)/g)].map(([, name]) => name ?? ""),
  );
  const bundled = (await import(join(projectRoot, "workers/bundle/zod.ts"))) as object;
  const types = new Set(["infer", "input", "output"]);
  const missing = [...new Set(used)].filter((name) => !(name in bundled) && !types.has(name));
  expect(missing, "add these to workers/bundle/zod-names.ts").toEqual([]);
});

test("the OpenAPI document is the same with the whole of every package", async () => {
  const whole = await buildWithoutAliases();
  expect(await openApiDocument(bundle)).toEqual(await openApiDocument(whole));
}, 60_000);

test("the minified edge reads a certificate request and signs it", async () => {
  const ca = await createLocalCa(zone, Date.now());
  await withEdge(bundle, { ZONE: zone, CA_CERTIFICATE: ca.certificatePem, CA_KEY: ca.keyPem }, async (edge) => {
    const { id, signingKey } = await readOrCreateIdentity(join(directory, "identity.pem"), Date.now());
    const client = new EdgeClient({
      edge: (await edge.ready).origin,
      signer: { id, role: "postern-node", privateKey: signingKey },
      clock: systemClock,
      fetch,
    });
    const body = { version: "test" };
    const { hostnames } = await client.request("POST", `/v1/nodes/${id}/registration`, registrationSchema, { body });
    const csr = await createCsr(readOrCreateTlsKey(join(directory, "tls.key")), hostnames);
    const order = await client.request("POST", `/v1/nodes/${id}/orders`, orderSchema, { body: { csr } });
    const certificate = new X509Certificate(order.certificate ?? "");
    expect(certificate.verify(new X509Certificate(ca.certificatePem).publicKey)).toBe(true);
    expect(certificate.subjectAltName).toBe(hostnames.map((name) => `DNS:${name}`).join(", "));
  });
});

test("the one class whose name is asked for keeps it in a minified bundle", async () => {
  const path = await buildLikeTheEdge("test/scripts/bundle/class-name-worker.ts");
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path }],
      modulesRoot: dirname(path),
      compatibilityDate,
      compatibilityFlags,
      cf: false,
      telemetry: { enabled: false },
    }),
  );
  try {
    const response = await worker.dispatchFetch("http://worker.localhost/");
    expect(await response.text()).toBe("Sequence");
  } finally {
    await worker.dispose();
  }
});

/** In the order of their share of the output; our own files together. */
function bytesByPackage(metafile: string): [string, number][] {
  const { outputs } = metafileSchema.parse(JSON.parse(readFileSync(metafile, "utf8")));
  const sums = new Map<string, number>();
  for (const { inputs } of Object.values(outputs))
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = /.*node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? "the edge itself";
      sums.set(name, (sums.get(name) ?? 0) + bytesInOutput);
    }
  return [...sums].toSorted(([, a], [, b]) => b - a);
}

const metafileSchema = z.object({
  outputs: z.record(z.string(), z.object({ inputs: z.record(z.string(), z.object({ bytesInOutput: z.number() })) })),
});

/** The edge with the whole of every package. */
async function buildWithoutAliases(): Promise<string> {
  const built = await build("whole", (toml) =>
    toml.replace(/^\[alias\]\n(?:[^[].*\n?|\n)*/m, "").replace(/^main = .*$/m, `main = ${inRoot("workers/index.ts")}`),
  );
  expect(statSync(built).size).toBeGreaterThan(maxBundleBytes); // else the aliases were there
  return built;
}

/** Another Worker, bundled as the edge is. */
function buildLikeTheEdge(main: string): Promise<string> {
  return build("like-the-edge", (toml) => {
    const [, aliases = ""] = /^(\[alias\]\n(?:[^[].*\n?|\n)*)/m.exec(toml) ?? [];
    const head = toml.slice(0, toml.indexOf("\n[")).replace(/^main = .*$/m, `main = ${inRoot(main)}`);
    return `${head}\n${aliases.replace(/= "(.*?)"/g, (_, path: string) => `= ${inRoot(path)}`)}`;
  });
}

const inRoot = (path: string): string => JSON.stringify(join(projectRoot, path));

async function build(name: string, change: (toml: string) => string): Promise<string> {
  const folder = join(directory, name);
  const config = join(directory, `${name}.toml`);
  writeFileSync(config, change(readFileSync(join(projectRoot, "wrangler.toml"), "utf8")));
  const args = [wranglerProgram, "deploy", "--dry-run", "--config", config, "--outdir", folder];
  await promisify(execFile)(process.execPath, args, {
    cwd: projectRoot,
    env: { ...process.env, ...quietEnvironment },
    timeout: 60_000,
  });
  const [built] = globSync("*.js", { cwd: folder });
  return join(folder, built ?? "");
}

async function openApiDocument(path: string): Promise<unknown> {
  return withEdge(path, { ZONE: zone }, async (edge) => {
    const response = await edge.dispatchFetch("http://edge.localhost/openapi.json");
    expect(response.status).toBe(200);
    return response.json();
  });
}

async function withEdge<T>(
  path: string,
  vars: Record<string, string>,
  use: (edge: Miniflare) => Promise<T>,
): Promise<T> {
  const edge = new Miniflare(
    edgeWorkerOptions({ port: 0, stateDir: join(directory, "state"), bundle: path, vars, writeLine: () => {} }),
  );
  try {
    return await use(edge);
  } finally {
    await edge.dispose();
  }
}
