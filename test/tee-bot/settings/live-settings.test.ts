import { mkdirSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readConfig, tryReadConfig } from "../../../tee-bot/config.ts";
import type { GatewaySettings } from "../../../tee-bot/gateway/settings.ts";
import { LiveSettings } from "../../../tee-bot/settings/live-settings.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { until } from "../../support/postern.ts";
import { recordingLog } from "../support/log.ts";

let stack: DisposableStack;
let folder: string;
let log: ReturnType<typeof recordingLog>;
let followed: GatewaySettings[];
let environment: NodeJS.ProcessEnv;
beforeEach(() => {
  stack = new DisposableStack();
  folder = stack.use(temporaryFolder()).path;
  log = recordingLog();
  followed = [];
  environment = { POSTERN_STATE: folder, POSTERN_EDGE: "https://edge.test" };
});
afterEach(() => stack.dispose());

const path = (): string => join(folder, "postern.yaml");
const write = (lines: string): void => writeFileSync(path(), `version: 1\n${lines}`);
function follow(): LiveSettings {
  const config = readConfig(environment);
  return stack.use(
    new LiveSettings({
      config,
      reread: () => tryReadConfig(environment),
      follow: (settings) => void followed.push(settings),
      onChange: () => undefined,
      log,
    }),
  );
}
const events = (event: string) => log.events.filter((one) => one.event === event).map(({ fields }) => fields);
const told = (event: string, times = 1) => until(() => events(event).length === times, 5_000, `${times} × ${event}`);

describe("settings that are followed", () => {
  it("reach the gateway when the file changes, and the log says which", async () => {
    write("gateway: {strategy: local-only}\n");
    follow();
    write("gateway: {strategy: load-balance, limits: {queued: 3}}\n");
    await told("config.followed");
    expect(followed).toMatchObject([{ strategy: "load-balance", limits: { queued: 3, concurrent: 256 } }]);
    expect(events("config.followed")).toEqual([
      { file: path(), changed: ["gateway.strategy", "gateway.limits.queued"] },
    ]);
  });

  it("come also from a file that was not there before", async () => {
    follow();
    write("gateway: {privacy: local}\n");
    await told("config.followed");
    expect(followed).toMatchObject([{ privacy: "local" }]);
  });

  it("stay as they are while the file is bad; log and status tell why, until it is good", async () => {
    write("gateway: {privacy: local}\n");
    const live = follow();
    expect(live.troubles).toEqual([]);
    write("gateway: {privacy: nobody, keyz: 1}\n");
    await told("config.refused");
    const mistakes = [
      "postern.yaml:2:20 gateway.privacy: not a value it can have · give one of any, local-or-attested, local-or-verified, local",
      "postern.yaml:2:28 gateway.keyz: there is no such setting · did you mean keys?",
    ];
    expect(events("config.refused")).toEqual([{ file: path(), mistakes }]);
    expect(live.troubles).toEqual([
      {
        detail: `The settings before are in force: ${mistakes[0]} (and 1 more)`,
        remedy: "postern config check lists every mistake.",
      },
    ]);
    expect(followed).toEqual([]);
    write("gateway: {privacy: local}\n");
    await told("config.followed");
    expect(live.troubles).toEqual([]);
    expect(followed).toEqual([]); // nothing is another than before
  });

  it("stay as they are when the file goes away, which could open what it had closed", async () => {
    write("gateway: {privacy: local}\n");
    const live = follow();
    unlinkSync(path());
    await told("config.refused");
    expect(live.troubles[0]?.detail).toContain(`${path()} is gone`);
    write("gateway: {privacy: local-or-attested}\n");
    await told("config.followed");
    expect(followed).toMatchObject([{ privacy: "local-or-attested" }]);
  });

  it("stay as they are when a folder stands in the file's place", async () => {
    write("gateway: {privacy: local}\n");
    follow();
    rmSync(path());
    mkdirSync(path());
    await told("config.refused");
    expect(String(events("config.refused")[0]?.["mistakes"])).toContain("is no file");
  });

  it("of the TEE wait for the next start as well", async () => {
    write("attestation: {tee: off}\n");
    follow();
    write("attestation: {tee: off, required: true}\n");
    await told("config.deferred");
    expect(events("config.deferred")).toMatchObject([{ changed: ["attestation.required"] }]);
    expect(followed).toEqual([]);
  });

  it("of the node itself wait for its next start, and the log names them", async () => {
    write("node: {tunnel: auto}\n");
    follow();
    write("node: {tunnel: tls, ports: {gateway: 1}, edge: https://other.test}\n");
    await told("config.deferred");
    // The edge is given by a variable, which wins.
    expect(events("config.deferred")).toMatchObject([{ changed: ["node.tunnel", "node.ports.gateway"] }]);
    expect(followed).toEqual([]);
  });
});
