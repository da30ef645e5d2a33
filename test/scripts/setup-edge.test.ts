import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SetupFailure } from "../../scripts/setup/failure.ts";
import { parseSetupOptions } from "../../scripts/setup/options.ts";
import { readDeployment } from "../../scripts/setup/production-config.ts";
import { noQuestions, type Questions } from "../../scripts/setup/questions.ts";
import { setUpEdge } from "../../scripts/setup/set-up-edge.ts";
import { createProgress } from "../../scripts/launcher/progress.ts";
import { projectRoot } from "../../scripts/wrangler.ts";
import type { Clock } from "../../shared/clock.ts";
import { startCloudflareApi, tooManyRequests, type CloudflareApi } from "../support/dns/cloudflare-api.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";
import { garbage } from "../support/faults.ts";
import { startFaultyServer, type FaultyServer } from "../support/faulty-server.ts";
import { runProgram } from "../support/visit.ts";
import { WranglerRecorder } from "../support/wrangler-recorder.ts";

const zone = "nodes.example.com";
const relayKey = "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";

let directory: string;
let store: ZoneStore;
let cloudflare: CloudflareApi;
let edge: FaultyServer;
let wrangler: WranglerRecorder;
/** What the edge says of itself, one look after the other; the last stays. */
let looks: { ok: boolean; problems: string[] }[];
let shown: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "postern-setup-"));
  store = new ZoneStore(zone);
  cloudflare = await startCloudflareApi(store);
  looks = [{ ok: true, problems: [] }];
  edge = await startFaultyServer({
    handle: () => {
      const look = looks.length > 1 ? looks.shift() : looks[0];
      const body = Buffer.from(JSON.stringify({ version: "0.1.0", zone, ...look }));
      return { status: look?.ok ? 200 : 503, headers: { "content-type": "application/json" }, body };
    },
  });
  wrangler = new WranglerRecorder(join(directory, "wrangler"), { deployedAt: `http://127.0.0.1:${edge.port}` });
  shown = "";
});

afterEach(async () => {
  await Promise.all([cloudflare[Symbol.asyncDispose](), edge[Symbol.asyncDispose]()]);
  rmSync(directory, { recursive: true });
});

const firstRun = (): string[] => ["--zone", zone, "--relay-keys", relayKey, "--acme-contact", "ops@example.com"];
const withToken = (): Record<string, string> => ({ CLOUDFLARE_API_TOKEN: cloudflare.token });

interface Operator {
  args?: string[];
  environment?: Record<string, string>;
  questions?: Questions;
}

/** Runs the setup as an operator would; what to do next. */
function setUp({
  args = firstRun(),
  environment = withToken(),
  questions = noQuestions,
}: Operator = {}): Promise<string> {
  const options = parseSetupOptions(
    ["--cloudflare-api", cloudflare.url, "--wrangler", WranglerRecorder.program, ...args],
    "/",
  );
  if (!options) throw new Error("help was asked for");
  let now = 0;
  const clock: Clock = { now: () => now, sleep: (ms) => Promise.resolve(void (now += ms)) };
  return setUpEdge(options, {
    questions,
    progress: createProgress({ write: (text) => (shown += text), color: false, clock: () => 0 }),
    environment: { PATH: process.env["PATH"], ...wrangler.environment, ...environment },
    fetch,
    clock,
    signal: new AbortController().signal,
    configPath: configPath(),
    caDirectory: join(directory, "ca"),
  });
}

const configPath = (): string => join(directory, "wrangler.production.toml");
const commands = (): string[] =>
  wrangler.calls.map(({ args }) =>
    args
      .slice(
        0,
        args.findIndex((arg) => arg.startsWith("--")),
      )
      .join(" "),
  );

async function failureOf(setup: Promise<string>): Promise<SetupFailure> {
  const outcome: unknown = await setup.catch((error: unknown) => error);
  if (!(outcome instanceof SetupFailure)) throw new Error(`no failure: ${String(outcome)}`);
  return outcome;
}

describe("the first run", () => {
  test("a zone, its token and a relay make an edge", async () => {
    const next = await setUp();
    expect(commands()).toEqual(["secret list", "secret put CLOUDFLARE_API_TOKEN", "deploy"]);
    expect(wrangler.secrets).toEqual({ CLOUDFLARE_API_TOKEN: cloudflare.token });
    const deployment = await readDeployment(configPath());
    expect(deployment).toEqual({
      name: "postern-edge",
      host: undefined,
      vars: {
        ZONE: zone,
        ZONE_ID: cloudflare.zoneId,
        DNS: "cloudflare",
        ISSUER: "acme",
        ACME_DIRECTORY: "letsencrypt",
        ACME_CONTACT: "ops@example.com",
        RELAY_KEYS: relayKey,
        CLOUDFLARE_API: cloudflare.url,
      },
    });
    expect(next).toContain(`RELAY_EDGE_URL=http://127.0.0.1:${edge.port} RELAY_ZONE=${zone}`);
    expect(store.size).toBe(0); // the record it tried is gone
  });

  test("no secret is in an argument, in the environment of wrangler, in a file or on the screen", async () => {
    const environment = { ...withToken(), CLOUDFLARE_DEPLOY_TOKEN: "for-wrangler-only" };
    await setUp({ environment });
    for (const { args, credentials } of wrangler.calls) {
      expect(args.join(" ")).not.toContain(cloudflare.token);
      expect(credentials).toEqual({ CLOUDFLARE_API_TOKEN: "for-wrangler-only" });
    }
    expect(readFileSync(configPath(), "utf8") + shown).not.toContain(cloudflare.token);
  });

  test("every mistake is told at once, by variable name, and nothing is touched", async () => {
    const args = ["--zone", "Nodes", "--relay-keys", "abc", "--acme-directory", "letsencrypt,zerossl,nonsense"];
    const { message } = await failureOf(setUp({ args, environment: { LEASE_MS: "7", ACME_EAB_KID_2: "kid" } }));
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
    expect(commands()).toEqual(["secret list"]);
    expect(statSync(configPath(), { throwIfNoEntry: false })).toBeUndefined();
  });

  test("a CA that wants an external account is not deployed without one", async () => {
    const args = [...firstRun(), "--acme-directory", "letsencrypt, zerossl"];
    const { message } = await failureOf(setUp({ args }));
    expect(message).toContain("ACME_EAB_KID_2: is missing; zerossl registers no account without it");
    const account = { ACME_EAB_KID_2: "kid", ACME_EAB_HMAC_KEY_2: "c2VjcmV0LXNlY3JldC1zZWNyZXQ" };
    await setUp({ args, environment: { ...withToken(), ...account } });
    expect(wrangler.secrets).toMatchObject(account);
  });

  test("a closed network gets a CA of its own, whose key goes to the Worker", async () => {
    const next = await setUp({ args: ["--zone", zone, "--issuer", "local"] });
    const root = readFileSync(join(directory, "ca", zone, "root.pem"), "utf8");
    expect(wrangler.secrets).toMatchObject({ CA_CERTIFICATE: root.trimEnd() });
    expect(wrangler.secrets?.["CA_KEY"]).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(next).toContain("No relay is let in yet");
  });

  test("the edge's own host stays out of the zone of the nodes", async () => {
    const { message } = await failureOf(setUp({ args: [...firstRun(), "--host", `edge.${zone}`] }));
    expect(message).toContain(`--host: edge.${zone} is in the zone of the nodes`);
  });

  test("an operator is asked for what is missing, again when it is wrong, and not for what is given", async () => {
    const answers = [zone, cloudflare.token, "", "letsencrypt", "", "no key", relayKey];
    const asked: string[] = [];
    const questions: Questions = {
      ask: (question, { initial } = {}) => {
        asked.push(question);
        return Promise.resolve(answers.shift() || initial);
      },
      confirm: () => Promise.resolve(false),
    };
    await setUp({ args: [], environment: {}, questions });
    expect(asked).toHaveLength(7);
    expect(shown).toContain("RELAY_KEYS: a relay key is 64 lower-case hexadecimal characters");
    expect((await readDeployment(configPath()))?.vars).toMatchObject({
      ZONE: zone,
      ISSUER: "acme",
      RELAY_KEYS: relayKey,
    });
  });
});

describe("a further run", () => {
  test("without a word it changes nothing and deploys what is there", async () => {
    await setUp();
    const before = readFileSync(configPath(), "utf8");
    await setUp({ args: [], environment: {} });
    expect(commands().slice(3)).toEqual(["secret list", "deploy"]);
    expect(readFileSync(configPath(), "utf8")).toBe(before);
    expect(shown).toContain("CLOUDFLARE_API_TOKEN: there already");
  });

  test("it takes another relay, and keeps every variable that stands in the file", async () => {
    await setUp({ environment: { ...withToken(), DNS_RETENTION_DAYS: "7" } });
    const keys = `${relayKey},${"ab".repeat(32)}`;
    await setUp({ args: ["--relay-keys", keys], environment: {} });
    const deployment = await readDeployment(configPath());
    expect(deployment?.vars).toMatchObject({
      RELAY_KEYS: keys,
      DNS_RETENTION_DAYS: "7",
      ACME_CONTACT: "ops@example.com",
    });
  });

  test("a secret that is there is replaced only when that is asked for", async () => {
    await setUp();
    cloudflare.token = "another-token-of-the-same-zone-0123456789";
    await setUp();
    expect(wrangler.secrets).not.toEqual(withToken());
    await setUp({ args: [...firstRun(), "--replace-secrets"] });
    expect(wrangler.secrets).toEqual(withToken());
  });

  test("it goes on where a deployment failed", async () => {
    wrangler.faults = { deploy: "✘ [ERROR] A request to the Cloudflare API failed. [code: 10021]" };
    expect((await failureOf(setUp())).message).toContain("[code: 10021]");
    wrangler.faults = {};
    await setUp({ args: [], environment: {} });
    expect(commands().filter((command) => command.startsWith("secret put"))).toHaveLength(1);
    expect(commands().at(-1)).toBe("deploy");
  });
});

describe("what stands in the way is told with its remedy", () => {
  test.for([
    ["may only read", "read", "may not write records"],
    ["sees no zone", "none", `sees no zone ${zone}`],
  ] as const)("a token that %s", async ([, rights, told]) => {
    cloudflare.rights = rights;
    const { message, remedy } = await failureOf(setUp());
    expect(message).toContain(told);
    expect(remedy).toContain("Zone → DNS → Edit");
    expect(commands()).toEqual(["secret list"]);
  });

  test("a token that Cloudflare does not know", async () => {
    const environment = { CLOUDFLARE_API_TOKEN: "unknown-token-of-nobody-0123456789-0123456789" };
    expect((await failureOf(setUp({ environment }))).message).toContain("code 9109");
  });

  test("an id of another zone", async () => {
    const args = ["--zone", "nodes.example.net", "--zone-id", cloudflare.zoneId, "--relay-keys", relayKey];
    expect((await failureOf(setUp({ args }))).message).toBe(
      `ZONE_ID is the id of ${zone}, and ZONE is nodes.example.net.`,
    );
  });

  test("wrangler without a login", async () => {
    wrangler.faults = { "secret list": "You are not authenticated. Please run `wrangler login`." };
    expect((await failureOf(setUp())).remedy).toContain("npx wrangler login");
  });

  test("a Cloudflare that breaks off, whose record is cleared away by the next run", async () => {
    cloudflare.faults.inject("POST /dns_records", { kind: "drop", when: "after" });
    expect((await failureOf(setUp())).message).toContain("did not answer");
    expect(store.size).toBe(1);
    await setUp();
    expect(store.size).toBe(0);
  });

  test("what is not Cloudflare's API", async () => {
    cloudflare.faults.inject("GET /zones", garbage("<html>"));
    expect((await failureOf(setUp())).message).toContain("is not Cloudflare's API");
  });

  test("a Cloudflare that is busy, in its own words", async () => {
    cloudflare.faults.inject("GET /zones", tooManyRequests(30));
    expect((await failureOf(setUp())).message).toContain("Cloudflare answered 429");
  });

  test("an edge that stays unwell, in its own words", async () => {
    looks = [{ ok: false, problems: ["ZONE_ID: is no zone id"] }];
    expect((await failureOf(setUp())).message).toContain("ZONE_ID: is no zone id");
  });
});

test("an edge that comes up late is waited for", async () => {
  looks = [
    { ok: false, problems: ["not yet"] },
    { ok: false, problems: ["not yet"] },
    { ok: true, problems: ["a warning"] },
  ];
  await setUp();
  expect(shown).toContain("a warning");
});

test("what an interrupted run left in the zone is cleared away", async () => {
  store.add({ name: `_postern-setup.${zone}`, type: "TXT", content: '"left"' });
  store.add({ name: `www.${zone}`, type: "TXT", content: '"not ours"' });
  await setUp();
  expect(
    store
      .now()
      .all()
      .map(({ name }) => name),
  ).toEqual([`www.${zone}`]);
});

describe("Universal SSL", () => {
  const confirming = (answer: boolean): Questions => ({ ...noQuestions, confirm: () => Promise.resolve(answer) });

  beforeEach(() => void (cloudflare.universalSsl.enabled = true));

  test.for([
    ["stays on when nobody can be asked", [], noQuestions, true],
    ["stays on when the operator says no", [], confirming(false), true],
    ["stays on when told so", ["--universal-ssl", "keep"], confirming(true), true],
    ["is turned off when the operator agrees", [], confirming(true), false],
    ["is turned off by its flag", ["--universal-ssl", "off"], noQuestions, false],
  ] as const)("%s", async ([, flags, questions, enabled]) => {
    await setUp({ args: [...firstRun(), ...flags], questions });
    expect(cloudflare.universalSsl.enabled).toBe(enabled);
    expect(shown).toContain("Universal SSL is on. With it Cloudflare answers CAA questions");
  });

  test("is for the operator to look at when the token may not", async () => {
    cloudflare.sslRights = false;
    await setUp();
    expect(shown).toContain("SSL/TLS → Edge Certificates → Disable Universal SSL");
    expect(wrangler.calls.at(-1)?.args[0]).toBe("deploy");
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
    const { code, stderr } = await run("--yes", "--wrangler", join(directory, "no-such-program"));
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be run");
    expect(stderr).toContain("do: Check --wrangler.");
  });
});
