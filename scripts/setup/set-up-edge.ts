/** The deployment of an edge, step by step. Each step looks first whether it is done, so all of it can run again. */
import { join } from "node:path";
import { askSettings } from "./ask-settings.ts";
import { createCloudflare, type Cloudflare } from "./cloudflare.ts";
import { awaitHealth } from "./edge-health.ts";
import { SetupFailure } from "./failure.ts";
import { nextSteps } from "./next-steps.ts";
import type { SetupOptions } from "./options.ts";
import { productionConfigPath, readDeployment, writeDeployment } from "./production-config.ts";
import type { Questions } from "./questions.ts";
import { putSecrets, withLocalCa } from "./secrets.ts";
import { collectSettings, decideMistakes, type Given } from "./settings.ts";
import { settleUniversalSsl } from "./universal-ssl.ts";
import { createWrangler } from "./wrangler-program.ts";
import { checkToken, findZone, tryRecord, type Zone } from "./zone.ts";
import type { Progress } from "../launcher/progress.ts";
import { projectRoot } from "../wrangler.ts";
import type { Clock } from "../../shared/clock.ts";

const cloudflareApi = "https://api.cloudflare.com/client/v4";

export interface SetupParts {
  readonly questions: Questions;
  readonly progress: Progress;
  readonly environment: NodeJS.ProcessEnv;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Where the deployment's configuration is kept; see production-config.ts. */
  readonly configPath?: string;
  /** Where CAs of closed networks are kept, each in a folder named for its zone. */
  readonly caDirectory?: string;
}

/** What to do next, for the operator. Throws {@link SetupFailure}. */
export async function setUpEdge(options: SetupOptions, parts: SetupParts): Promise<string> {
  const { questions, progress, environment, fetch, clock, signal } = parts;
  const { configPath = productionConfigPath, caDirectory = join(projectRoot, ".postern", "edge") } = parts;
  const note = (text: string): void => progress.note(text);
  const wrangler = createWrangler({ program: options.wrangler, environment, signal });
  const last = await readDeployment(configPath);
  const name = options.name ?? last?.name ?? "postern-edge";
  const host = options.host ?? last?.host;

  const stored = await progress.step(`the Worker ${name} and its secrets looked up`, () => wrangler.secrets(name));
  const collected = collectSettings(options.settings, environment, last?.vars ?? {});
  const asked = await askSettings(collected, { questions, note, stored });
  const given = await withLocalCa(asked, { stored, note, caDirectory });
  refuseMistakes(given, stored, host);

  const zoneId = await settleZone(given, options, parts);
  const deployment = { name, host, vars: { ...given, ...(zoneId !== undefined && { ZONE_ID: zoneId }) } };
  const changed = await progress.step("configuration of the deployment", () =>
    Promise.resolve(writeDeployment(deployment, configPath)),
  );
  note(`${configPath}: ${changed ? "written" : "as it was"}`);

  const lines = await progress.step("secrets of the Worker", () =>
    putSecrets(given, { config: configPath, wrangler, questions, stored, replace: options.replaceSecrets }),
  );
  note(lines.join("\n"));
  const targets = await progress.step("edge deployed, migrations applied", () => wrangler.deploy(configPath));
  const url = addressOf(targets, host);
  const problems = await progress.step(`edge well at ${url}`, () =>
    awaitHealth({ url, zone: given["ZONE"] ?? "", fetch, clock, signal }),
  );
  if (problems.length > 0) note(problems.join("\n"));
  return nextSteps(url, given);
}

function refuseMistakes(given: Given, stored: ReadonlySet<string>, host: string | undefined): void {
  const mistakes = decideMistakes(given, stored);
  // Its certificate would be Universal SSL's, and its name one that nodes could hold.
  if (host !== undefined && given["ZONE"] !== undefined && `.${host}`.endsWith(`.${given["ZONE"]}`))
    mistakes.push(`--host: ${host} is in the zone of the nodes; take a name in another zone, or none`);
  // Cloudflare is asked for it.
  const told = mistakes.filter(
    (mistake) => !(mistake.startsWith("ZONE_ID: is missing") && given["ZONE_ID"] === undefined),
  );
  if (told.length > 0)
    throw new SetupFailure(
      `These settings cannot be used:\n${told.join("\n")}`,
      "Give them by flag or in the environment (--help), and run this again.",
    );
}

/** The zone's id, once the zone and the token are as the edge needs them. */
async function settleZone(given: Given, options: SetupOptions, parts: SetupParts): Promise<string | undefined> {
  const { questions, progress, fetch, signal } = parts;
  const { ZONE = "", ZONE_ID, CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_API = cloudflareApi } = given;
  if (token === undefined) {
    if (ZONE_ID === undefined)
      throw new SetupFailure(
        "ZONE_ID is not known, and without CLOUDFLARE_API_TOKEN it cannot be looked up.",
        "Set one of them.",
      );
    progress.note("The zone is not looked at again: the token is with the Worker, and not given now.");
    return ZONE_ID;
  }
  const api = createCloudflare({ url: CLOUDFLARE_API.replace(/\/+$/, ""), token, fetch, signal });
  const zone = await progress.step(`zone of ${ZONE} found`, () => findZone(api, ZONE, ZONE_ID));
  if (zone.name !== ZONE)
    progress.note(`${zone.name} is not for nodes alone. Everything in it is within reach of the edge's token; a zone of its
own is safer (docs/deploy-edge.md).`);
  await settleToken(api, zone, ZONE, progress);
  if (given["ISSUER"] === "acme") {
    const wish = options.universalSsl;
    // Not as a step: it may ask.
    const line = await settleUniversalSsl(api, zone, { wish, questions, note: (text) => progress.note(text) });
    progress.note(`Universal SSL: ${line}`);
  }
  return zone.id;
}

async function settleToken(api: Cloudflare, zone: Zone, below: string, progress: Progress): Promise<void> {
  const expires = await progress.step("token known to Cloudflare", () => checkToken(api, zone.accountId));
  if (expires !== undefined) progress.note(`It expires on ${expires}; no certificate is renewed after that.`);
  await progress.step("token may write records", () => tryRecord(api, zone, below));
}

function addressOf(targets: readonly string[], host: string | undefined): string {
  if (host !== undefined) return `https://${host}`;
  const target = targets.find((text) => /^https?:\/\/[^\s]+$/.test(text));
  if (target !== undefined) return new URL(target).origin;
  throw new SetupFailure(
    "wrangler deployed the Worker without telling an address.",
    "Register a workers.dev subdomain in the dashboard (Workers & Pages), or give a host with --host.",
  );
}
