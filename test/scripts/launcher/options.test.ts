import { describe, expect, it } from "vitest";
import { parseLaunchOptions, usage, UsageError } from "../../../scripts/launcher/options.ts";

const parse = (...args: string[]) => parseLaunchOptions(args, "/home/me/postern");
const local = {
  zone: "postern.localhost",
  alias: "demo",
  tee: undefined,
  signal: undefined,
  acme: undefined,
  cloudflare: undefined,
};

describe("the launcher's options", () => {
  it("have defaults for everything", () => {
    expect(parse()).toEqual({
      json: false,
      state: "/home/me/postern/.postern",
      port: undefined,
      edgePort: undefined,
      expose: undefined,
      ...local,
    });
  });

  it("are read as they are given, a state relative to where one is", () => {
    const args = [
      "--json",
      "--state",
      "mine",
      "--port",
      "443",
      "--edge-port=8080",
      "--expose",
      "http://127.0.0.1:3000",
    ];
    expect(parse(...args)).toEqual({
      json: true,
      state: "/home/me/postern/mine",
      port: 443,
      edgePort: 8080,
      expose: "http://127.0.0.1:3000",
      ...local,
    });
    expect(parse("--state", "/elsewhere")?.state).toBe("/elsewhere");
  });

  it("have a simulated TEE in a state of its own, since its node is another one", () => {
    expect(parse("--tee", "simulated")).toMatchObject({
      tee: "simulated",
      state: "/home/me/postern/.postern/simulated",
    });
    expect(parse("--tee", "simulated", "--state", "mine")).toMatchObject({ state: "/home/me/postern/mine" });
    expect(() => parse("--tee", "dstack")).toThrow(/--tee takes simulated/);
  });

  it("have a simulated Signal where it is asked for", () => {
    expect(parse("--signal", "simulated")).toMatchObject({ signal: "simulated", state: "/home/me/postern/.postern" });
    expect(() => parse("--signal", "real")).toThrow(/--signal takes simulated/);
  });

  it.each(["--help", "-h"])("%s asks for the usage, which names every flag", (flag) => {
    expect(parse(flag, "--json")).toBeUndefined();
    for (const name of [
      "--json",
      "--state",
      "--port",
      "--edge-port",
      "--expose",
      "--tee",
      "--signal",
      "--issuer",
      "--acme-directory",
    ])
      expect(usage).toContain(name);
    for (const name of ["--acme-ca", "--acme-account", "--dns", "--cloudflare-api", "--doh", "--zone", "--alias"])
      expect(usage).toContain(name);
  });

  it("have a real CA and a real zone", () => {
    const acme = ["--issuer", "acme", "--dns", "cloudflare", "--zone", "Nodes.Example.Org."];
    expect(parse(...acme)).toMatchObject({
      zone: "nodes.example.org",
      acme: { directory: undefined, ca: undefined, account: "edge", resolvers: undefined },
      cloudflare: { api: undefined },
    });
    const own = ["--acme-directory", "https://127.0.0.1:14000/dir", "--acme-ca", "ca.pem", "--acme-account", "node"];
    const dns = [
      "--cloudflare-api",
      "http://127.0.0.1:9/client/v4",
      "--doh",
      "http://127.0.0.1:1/a,http://127.0.0.1:2/b",
    ];
    expect(parse(...acme, ...own, ...dns, "--alias", "alice")).toMatchObject({
      alias: "alice",
      acme: {
        directory: "https://127.0.0.1:14000/dir",
        ca: "/home/me/postern/ca.pem",
        account: "node",
        resolvers: "http://127.0.0.1:1/a,http://127.0.0.1:2/b",
      },
      cloudflare: { api: "http://127.0.0.1:9/client/v4" },
    });
  });

  it.each([
    [["--issuer", "acme", "--zone", "a.example"], "--dns cloudflare"],
    [["--issuer", "acme", "--dns", "cloudflare"], "--zone"],
    [["--issuer", "own"], "local or acme"],
    [["--dns", "route53"], "memory or cloudflare"],
    [["--acme-account", "relay"], "edge or node"],
    [["--acme-directory", "https://ca.example/dir"], "--issuer acme"],
    [["--doh", "https://doh.example"], "--issuer acme"],
    [["--cloudflare-api", "http://127.0.0.1:9"], "--dns cloudflare"],
  ])("%j do not go together, and what is missing is named: %s", (args, named) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(named);
  });

  it.each([
    ["--port", "0"],
    ["--port", "65536"],
    ["--port", "80a"],
    ["--port", ""],
    ["--edge-port", "1e3"],
    ["--port=-1"],
  ])("%s %s is refused with the flag's name", (...args) => {
    expect(() => parse(...args)).toThrow(UsageError);
    expect(() => parse(...args)).toThrow(args[0]?.split("=")[0]);
  });

  it.each([["--nope"], ["extra"], ["--state"], ["--json=yes"]])("%s is refused", (...args) => {
    expect(() => parse(...args)).toThrow(UsageError);
  });
});
