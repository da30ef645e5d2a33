import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { version } from "../../shared/version.ts";
import { temporaryFolder } from "../shared/temporary-folder.ts";
import { freePort } from "../support/postern.ts";
import { postern } from "./run.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const state = folder.path;
let stack = new AsyncDisposableStack();
afterEach(async () => {
  await stack.disposeAsync();
  stack = new AsyncDisposableStack();
});

/** A port that another program has, which answers everything with this. */
async function takenPort(status: number, body: string): Promise<number> {
  const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, "127.0.0.1");
  await once(server, "listening");
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe("postern", () => {
  it("--help lists every command, --version its version", async () => {
    const help = await postern("--help");
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const command of ["start", "status", "expose", "id", "cert", "config", "keys", "watch", "verify"])
      expect(help.stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    expect(await postern("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    expect((await postern("start", "--help")).stdout).toContain("POSTERN_EDGE");
  });

  it.each([[["bogus"]], [["start", "--bogus"]], [["expose"]], [["id", "import"]]])(
    "%j is refused with the usage",
    async (args) => {
      const { code, stdout, stderr } = await postern(...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/^error: [^]*Usage: postern/);
    },
  );
});

describe("postern status and postern expose", () => {
  const notRunning =
    `No node is running here.\n  why:  There is no control file at ${join(state, "control.json")}, or it cannot be read.\n` +
    "  do:   Start one with postern start (or npm start), or say where its state is: --state DIR\n";

  it.each([[["status"]], [["status", "--json"]], [["expose", "gateway"]], [["cert"]], [["cert", "renew"]]])(
    "%j says that no node runs, and where it looked",
    async (args) => {
      expect(await postern(...args, "--state", state)).toEqual({ code: 1, stdout: "", stderr: notRunning });
    },
  );

  it("says so as well when the control file is damaged", async () => {
    writeFileSync(join(state, "control.json"), "{");
    expect((await postern("status", "--state", state)).stderr).toBe(notRunning);
  });

  it("says that a node which left its control file behind does not answer", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    writeFileSync(join(state, "control.json"), JSON.stringify({ url, token: "t", pid: 1 }));
    const { code, stderr } = await postern("status", "--state", state);
    expect(code).toBe(1);
    expect(stderr).toContain(`The node did not answer.\n  why:  Its control API at ${url} cannot be reached`);
    expect(stderr).toContain("postern start");
  });

  it.each([
    [404, "<html>"],
    [200, "{}"],
    [200, "hello"],
  ])("is not misled by another program at that port (%i, %s)", async (status, body) => {
    const url = `http://127.0.0.1:${await takenPort(status, body)}`;
    writeFileSync(join(state, "control.json"), JSON.stringify({ url, token: "t", pid: 1 }));
    const { code, stdout, stderr } = await postern("status", "--state", state);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(`Something else, or another version, answers at ${url}`);
  });

  it.each(["3000", "ftp://127.0.0.1", "http://127.0.0.1:3000/path", "tls://127.0.0.1"])(
    "expose %s is refused before any node is asked",
    async (target) => {
      const { code, stdout, stderr } = await postern("expose", target, "--state", state);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(/^Nothing was changed\.\n  why:  ".*" cannot be exposed: /);
      expect(stderr).toContain("Give gateway, http://127.0.0.1:3000, or tls://");
    },
  );
});

describe("postern start", () => {
  it("names every setting that is missing or wrong at once, and ends with exit code 2", async () => {
    const missing = await postern("start", "--state", state);
    expect(missing).toMatchObject({ code: 2, stdout: "" });
    expect(missing.stderr).toContain("POSTERN_EDGE: give the edge's address");
    const args = ["--edge", "ftp://edge", "--alias", "Alice", "--expose", "3000", "--gateway-port", "70000"];
    const wrong = await postern(
      "start",
      ...args,
      "--control-port",
      "x",
      "--acme-account",
      "both",
      "--tunnel",
      "tcp",
      "--tee",
      "sgx",
      "--state",
      state,
    );
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    for (const name of [
      "EDGE",
      "ALIAS",
      "EXPOSE",
      "GATEWAY_PORT",
      "CONTROL_PORT",
      "ACME_ACCOUNT",
      "TUNNEL",
      "ATTESTATION_TEE",
    ])
      expect(wrong.stderr).toMatch(new RegExp(`^ +POSTERN_${name}: .`, "m"));
  });

  it("ends where the TEE that it is to run in is not there, and makes no key", async () => {
    const nowhere = join(state, "nowhere");
    mkdirSync(nowhere, { recursive: true });
    writeFileSync(join(nowhere, "postern.yaml"), "version: 1\nattestation: {socket: none.sock}\n");
    const args = ["start", "--edge", "http://127.0.0.1:1", "--tee", "dstack", "--state", nowhere];
    const { code, stdout, stderr } = await postern(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("The node did not start.\n  why:  Not in a TEE: no guest agent at");
    expect(stderr).toContain(`${nowhere}/none.sock. Mount dstack's socket`);
    expect(readdirSync(nowhere)).toEqual(["postern.yaml"]);
  });

  it("ends when a port that it needs is taken, and names it", async () => {
    const port = await takenPort(200, "");
    for (const [flag, other, name] of [
      ["--gateway-port", "--control-port", "gateway"],
      ["--control-port", "--gateway-port", "control API"],
    ] as const) {
      const edge = `http://127.0.0.1:${await freePort()}`;
      const args = ["start", "--edge", edge, flag, String(port), other, "0", "--state", join(state, "ports")];
      const { code, stderr } = await postern(...args);
      expect(code).toBe(1);
      expect(stderr).toContain(`Port ${port} for the ${name} cannot be used: another program has it.`);
    }
  });
});
