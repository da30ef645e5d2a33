import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../../tee-bot/config.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const state = folder.path;

describe("the configuration of a node", () => {
  it("is complete with nothing but an edge in the environment", () => {
    const config = readConfig({ POSTERN_EDGE: "https://edge.test", POSTERN_STATE: state, POSTERN_ALIAS: "" });
    expect(config).toMatchObject({
      edge: "https://edge.test",
      alias: undefined,
      target: undefined,
      acmeAccount: "edge",
      tunnel: { transport: "auto" },
      gatewayPort: 31_145,
      controlPort: 8_145,
      logLevel: "info",
      gateway: { strategy: "prefer-local" },
      settings: { path: join(state, "postern.yaml"), present: false },
    });
    expect(config.files.identity).toBe(join(state, "identity.pem"));
  });

  it("comes from postern.yaml as well, over which variables win", () => {
    writeFileSync(
      join(state, "postern.yaml"),
      "version: 1\nnode: {edge: https://a.test, alias: bob, expose: http://127.0.0.1:3000, ports: {control: 1}}\n",
    );
    const config = readConfig({ POSTERN_STATE: state, POSTERN_ALIAS: "alice", POSTERN_GATEWAY_PORT: "2" });
    expect(config).toMatchObject({ edge: "https://a.test", alias: "alice", gatewayPort: 2, controlPort: 1 });
    expect(config.target).toEqual({ kind: "http", origin: "http://127.0.0.1:3000" });
  });
});
