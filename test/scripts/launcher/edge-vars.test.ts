import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { edgeVars, trustOf } from "../../../scripts/launcher/edge-vars.ts";
import { parseLaunchOptions, UsageError, type LaunchOptions } from "../../../scripts/launcher/options.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";

function options(...args: string[]): LaunchOptions {
  const parsed = parseLaunchOptions(args, "/");
  if (!parsed) throw new Error("only help was asked for");
  return parsed;
}

const real = ["--issuer", "acme", "--dns", "cloudflare", "--zone", "nodes.example.org"];

it("a development edge is told its zone and nothing else, whatever the environment holds", () => {
  expect(edgeVars(options(), { CLOUDFLARE_API_TOKEN: "t", ACME_EAB_KID: "k" })).toEqual({ ZONE: "postern.localhost" });
});

it("an edge with a real zone gets the flags and the credentials of the environment", () => {
  const args = [...real, "--acme-directory", "zerossl", "--doh", "https://a.example/q,https://b.example/q"];
  const environment = { CLOUDFLARE_API_TOKEN: "token", ZONE_ID: "zone", ACME_EAB_KID: "kid", ACME_EAB_HMAC_KEY: "key" };
  expect(edgeVars(options(...args, "--cloudflare-api", "http://127.0.0.1:9/v4"), environment)).toEqual({
    ZONE: "nodes.example.org",
    DNS: "cloudflare",
    CLOUDFLARE_API: "http://127.0.0.1:9/v4",
    CLOUDFLARE_API_TOKEN: "token",
    ZONE_ID: "zone",
    ISSUER: "acme",
    ACME_DIRECTORY: "zerossl",
    DOH: "https://a.example/q,https://b.example/q",
    ACME_EAB_KID: "kid",
    ACME_EAB_HMAC_KEY: "key",
  });
});

it("credentials that are missing are named together, and no value is shown", () => {
  expect(() => edgeVars(options(...real), {})).toThrow("CLOUDFLARE_API_TOKEN and ZONE_ID");
  expect(() => edgeVars(options(...real), { CLOUDFLARE_API_TOKEN: "secret" })).toThrow(/^(?!.*secret).*ZONE_ID/);
});

it("a CA of one's own is trusted by the processes that call it, when its file is one", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "ca.pem");
  const withCa = () => options(...real, "--acme-ca", file);
  expect(() => trustOf(withCa())).toThrow(UsageError);
  writeFileSync(file, "nothing of the kind");
  expect(() => trustOf(withCa())).toThrow("no PEM certificate");
  writeFileSync(file, "-----BEGIN CERTIFICATE-----\n");
  expect(trustOf(withCa())).toEqual({ NODE_EXTRA_CA_CERTS: file });
  expect(edgeVars(withCa(), { CLOUDFLARE_API_TOKEN: "t", ZONE_ID: "z" })["ACME_TRUST"]).toBe("private");
  expect(trustOf(options(...real))).toEqual({});
});
