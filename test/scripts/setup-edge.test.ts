import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readDeployment } from "../../scripts/setup/production-config.ts";
import type { Questions } from "../../scripts/setup/questions.ts";
import { projectRoot } from "../../scripts/wrangler.ts";
import { runProgram } from "../support/visit.ts";
import { failureOf, firstRun, relayKey, startSetupWorld, zone, type SetupWorld } from "./setup/setup-world.ts";

let world: SetupWorld;
beforeEach(async () => void (world = await startSetupWorld()));
afterEach(() => world[Symbol.asyncDispose]());

describe("the first run", () => {
  test("a zone, its token and a relay make an edge", async () => {
    const next = await world.setUp();
    expect(world.commands()).toEqual(["secret list", "secret put CLOUDFLARE_API_TOKEN", "deploy"]);
    expect(world.wrangler.secrets).toEqual({ CLOUDFLARE_API_TOKEN: world.cloudflare.token });
    const deployment = await readDeployment(world.configPath());
    expect(deployment).toEqual({
      name: "postern-edge",
      host: undefined,
      vars: {
        ZONE: zone,
        ZONE_ID: world.cloudflare.zoneId,
        DNS: "cloudflare",
        ISSUER: "acme",
        ACME_DIRECTORY: "letsencrypt",
        ACME_CONTACT: "ops@example.com",
        RELAY_KEYS: relayKey,
        CLOUDFLARE_API: world.cloudflare.url,
      },
    });
    expect(next).toContain(`RELAY_EDGE_URL=http://127.0.0.1:${world.edge.port} RELAY_ZONE=${zone}`);
    expect(world.store.size).toBe(0); // the record it tried is gone
  });

  test("no secret is in an argument, in the environment of wrangler, in a file or on the screen", async () => {
    const environment = { ...world.withToken(), CLOUDFLARE_DEPLOY_TOKEN: "for-wrangler-only" };
    await world.setUp({ environment });
    for (const { args, credentials } of world.wrangler.calls) {
      expect(args.join(" ")).not.toContain(world.cloudflare.token);
      expect(credentials).toEqual({ CLOUDFLARE_API_TOKEN: "for-wrangler-only" });
    }
    expect(readFileSync(world.configPath(), "utf8") + world.shown).not.toContain(world.cloudflare.token);
  });

  test("every mistake is told at once, by variable name, and nothing is touched", async () => {
    const args = ["--zone", "Nodes", "--relay-keys", "abc", "--acme-directory", "letsencrypt,zerossl,nonsense"];
    const { message } = await failureOf(world.setUp({ args, environment: { LEASE_MS: "7", ACME_EAB_KID_2: "kid" } }));
    for (const name of [
      "ZONE",
      "RELAY_KEYS",
      "ACME_DIRECTORY",
      "LEASE_MS",
      "CLOUDFLARE_API_TOKEN",
      "ACME_EAB_HMAC_KEY_2",
    ])
      expect(message).toMatch(new RegExp(`^${name}[.:]`, "m"));
    expect(message).not.toContain("ZONE_ID:"); // that is looked up
    expect(world.commands()).toEqual(["secret list"]);
    expect(statSync(world.configPath(), { throwIfNoEntry: false })).toBeUndefined();
  });

  test("a CA that wants an external account is not deployed without one", async () => {
    const args = [...firstRun, "--acme-directory", "letsencrypt, zerossl"];
    const { message } = await failureOf(world.setUp({ args }));
    expect(message).toContain("ACME_EAB_KID_2: is missing; zerossl registers no account without it");
    const account = { ACME_EAB_KID_2: "kid", ACME_EAB_HMAC_KEY_2: "c2VjcmV0LXNlY3JldC1zZWNyZXQ" };
    await world.setUp({ args, environment: { ...world.withToken(), ...account } });
    expect(world.wrangler.secrets).toMatchObject(account);
  });

  test("a closed network gets a CA of its own, whose key goes to the Worker", async () => {
    const next = await world.setUp({ args: ["--zone", zone, "--issuer", "local"] });
    const root = readFileSync(join(world.directory, "ca", zone, "root.pem"), "utf8");
    expect(world.wrangler.secrets).toMatchObject({ CA_CERTIFICATE: root.trimEnd() });
    expect(world.wrangler.secrets?.["CA_KEY"]).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(next).toContain("No relay is let in yet");
  });

  test("the edge's own host stays out of the zone of the nodes", async () => {
    const { message } = await failureOf(world.setUp({ args: [...firstRun, "--host", `world.edge.${zone}`] }));
    expect(message).toContain(`--host: world.edge.${zone} is in the zone of the nodes`);
  });

  test("an operator is asked for what is missing, again when it is wrong, and not for what is given", async () => {
    const answers = [zone, world.cloudflare.token, "", "letsencrypt", "", "no key", relayKey];
    const asked: string[] = [];
    const questions: Questions = {
      ask: (question, { initial } = {}) => {
        asked.push(question);
        return Promise.resolve(answers.shift() || initial);
      },
      confirm: () => Promise.resolve(false),
    };
    await world.setUp({ args: [], environment: {}, questions });
    expect(asked).toHaveLength(7);
    expect(world.shown).toContain("RELAY_KEYS: a relay key is 64 lower-case hexadecimal characters");
    expect((await readDeployment(world.configPath()))?.vars).toMatchObject({
      ZONE: zone,
      ISSUER: "acme",
      RELAY_KEYS: relayKey,
    });
  });
});

describe("a further run", () => {
  test("without a word it changes nothing and deploys what is there", async () => {
    await world.setUp();
    const before = readFileSync(world.configPath(), "utf8");
    await world.setUp({ args: [], environment: {} });
    expect(world.commands().slice(3)).toEqual(["secret list", "deploy"]);
    expect(readFileSync(world.configPath(), "utf8")).toBe(before);
    expect(world.shown).toContain("CLOUDFLARE_API_TOKEN: there already");
  });

  test("it takes another relay, and keeps every variable that stands in the file", async () => {
    await world.setUp({ environment: { ...world.withToken(), DNS_RETENTION_DAYS: "7" } });
    const keys = `${relayKey},${"ab".repeat(32)}`;
    await world.setUp({ args: ["--relay-keys", keys], environment: {} });
    const deployment = await readDeployment(world.configPath());
    expect(deployment?.vars).toMatchObject({
      RELAY_KEYS: keys,
      DNS_RETENTION_DAYS: "7",
      ACME_CONTACT: "ops@example.com",
    });
  });

  test("a secret that is there is replaced only when that is asked for", async () => {
    await world.setUp();
    world.cloudflare.token = "another-token-of-the-same-zone-0123456789";
    await world.setUp();
    expect(world.wrangler.secrets).not.toEqual(world.withToken());
    await world.setUp({ args: [...firstRun, "--replace-secrets"] });
    expect(world.wrangler.secrets).toEqual(world.withToken());
  });

  test("it goes on where a deployment failed", async () => {
    world.wrangler.faults = { deploy: "✘ [ERROR] A request to the Cloudflare API failed. [code: 10021]" };
    expect((await failureOf(world.setUp())).message).toContain("[code: 10021]");
    world.wrangler.faults = {};
    await world.setUp({ args: [], environment: {} });
    expect(world.commands().filter((command) => command.startsWith("secret put"))).toHaveLength(1);
    expect(world.commands().at(-1)).toBe("deploy");
  });
});

describe("the command", () => {
  const run = (...args: string[]) =>
    runProgram(process.execPath, [join(projectRoot, "scripts/setup-edge.ts"), ...args]);

  test("explains itself", async () => {
    const { code, stdout } = await run("--help");
    expect([code, stdout]).toEqual([0, expect.stringContaining("CLOUDFLARE_DEPLOY_TOKEN")]);
  });

  test("refuses flags it does not know", async () => {
    const { code, stderr } = await run("--universal-ssl", "maybe");
    expect([code, stderr]).toEqual([2, expect.stringContaining('takes off or keep, not "maybe"')]);
  });

  test("tells what it cannot do, and what to do", async () => {
    const { code, stderr } = await run("--yes", "--wrangler", join(world.directory, "no-such-program"));
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be run");
    expect(stderr).toContain("do: Check --wrangler.");
  });
});
