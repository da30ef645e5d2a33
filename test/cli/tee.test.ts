import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { callAgent } from "../support/agent-request.ts";
import { root, stopProcess, until } from "../support/postern.ts";
import { postern } from "./run.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

describe("postern tee simulate", () => {
  let child: ChildProcess | undefined;
  let told = "";

  const start = async (...args: string[]): Promise<void> => {
    told = "";
    const started = spawn(
      process.execPath,
      [join(root, "tee-bot/cli/main.ts"), "tee", "simulate", "--state", folder.path, ...args],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NO_COLOR: "1" } },
    );
    started.stdout.setEncoding("utf8").on("data", (text: string) => (told += text));
    started.stderr.setEncoding("utf8").on("data", (text: string) => (told += text));
    child = started;
    await until(() => told.includes("stop "), 10_000, "the simulator runs").catch((error: unknown) => {
      throw new Error(told, { cause: error });
    });
  };
  const line = (name: string): string => new RegExp(`^  ${name} +(\\S+)`, "m").exec(told)?.[1] ?? "";

  afterEach(async () => {
    if (child) await stopProcess(child, "SIGTERM");
  });

  it("says first that nothing is proved, then where everything is, and leaves no socket behind", async () => {
    await start();
    expect(told.split("\n")[0]).toBe("SIMULATED TEE: NOTHING HERE IS PROOF");
    expect(readFileSync(line("root"), "utf8")).toContain("BEGIN CERTIFICATE");
    expect((await fetch(`${line("collateral")}/sgx/certification/v4/rootcacrl`)).status).toBe(200);
    const info = await callAgent(line("agent"), "/Info");
    expect(info).toMatchObject({ simulated: true, compose_hash: line("compose hash") });

    const before = { root: readFileSync(line("root"), "utf8"), keyProvider: line("key provider") };
    const key = await callAgent(line("agent"), "/GetKey?path=x");
    if (child) await stopProcess(child, "SIGTERM");
    expect(child?.exitCode).toBe(0);
    expect(existsSync(line("agent"))).toBe(false);

    await start("--generation", "0.5");
    expect({ root: readFileSync(line("root"), "utf8"), keyProvider: line("key provider") }).toEqual(before);
    expect(await callAgent(line("agent"), "/GetKey?path=x")).toEqual(key);
    expect(told).toContain("as dstack 0.5");
  });

  it("measures the compose file that it is given, and listens where it is told", async () => {
    const compose = join(folder.path, "app-compose.json");
    writeFileSync(compose, '{"name":"mine"}');
    const socket = join(folder.path, "s.sock");
    const tappd = join(folder.path, "t.sock");
    await start("--compose", compose, "--socket", socket, "--tappd-socket", tappd);
    expect(line("compose hash")).toBe(createHash("sha256").update('{"name":"mine"}').digest("hex"));
    expect(await callAgent(socket, "/Info")).toMatchObject({ app_name: "mine" });
    expect(await callAgent(tappd, "/prpc/Tappd.Info")).toMatchObject({ app_name: "mine" });
  });

  it.each([
    [["--compose", "/nowhere.json"], "/nowhere.json cannot be read"],
    [["--pcs-port", "x"], "--pcs-port takes a whole number from 0 to 65535"],
    [["--quote-ms", "-1"], "--quote-ms takes a whole number from 0 to 60000"],
    [["--generation", "0.4"], "0.4"],
    [["--socket", join(root, "package.json")], "is a file that is no socket"],
  ])("refuses %j, and says why", async (args, why) => {
    const { code, stderr } = await postern("tee", "simulate", "--state", folder.path, ...args);
    expect(code).toBe(1);
    expect(stderr).toContain(why);
  });
});
