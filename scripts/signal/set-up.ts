/** Writes what the deployment of the bot has to know, and looks at a REST server that runs already. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { writeFileAtomic } from "../../shared/nodejs/files.ts";
import { SetupFailure } from "../setup/failure.ts";
import type { Questions } from "../setup/questions.ts";
import { changeEnv, parseEnv } from "./env-file.ts";
import { judgeServer, readServerFacts } from "./hygiene.ts";
import type { SetupOptions } from "./options.ts";
import { envSettings, mistakesIn, secretName } from "./settings.ts";

export interface SetupContext {
  readonly questions: Questions;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const secretBytes = 32;
const secretForm = /^[\w-]{32,}$/;

/** What the operator does next. Throws {@link SetupFailure} when something is missing or a server must not be used. */
export async function setUpSignal(options: SetupOptions, { questions, say, signal }: SetupContext): Promise<string> {
  const text = existsSync(options.env) ? readFileSync(options.env, "utf8") : "";
  const before = parseEnv(text);
  const given: Record<string, string> = {};
  for (const { name, question } of envSettings) {
    const known = options.given[name] ?? before[name];
    const value = options.given[name] ?? (await questions.ask(question, { initial: known || undefined }));
    if (value !== undefined && value !== "") given[name] = value;
  }
  const mistakes = mistakesIn(given);
  if (mistakes.length > 0) throw new SetupFailure(mistakes.join("\n"), "Give them as flags, or run it in a terminal.");

  const kept = before[secretName];
  const secret =
    kept !== undefined && secretForm.test(kept) && !options.newSecret
      ? kept
      : randomBytes(secretBytes).toString("base64url");
  writeFileAtomic(options.env, changeEnv(text, { ...given, [secretName]: secret }), 0o600);
  say(
    `${options.env} is written, readable by you alone; the webhook's secret in it is ${secret === kept ? "as before" : "new"}.`,
  );
  if (options.api !== undefined) await lookAt(options.api, say, signal);
  return nextSteps(options);
}

async function lookAt(api: string, say: (line: string) => void, signal: AbortSignal): Promise<void> {
  const facts = await readServerFacts(api, signal);
  const findings = judgeServer(facts);
  if (facts.mode !== undefined) say(`${api}: signal-cli-rest-api ${facts.version ?? "?"}, MODE=${facts.mode}`);
  for (const { isGrave, words } of findings) say(`${isGrave ? "✗" : "!"} ${words}`);
  if (findings.some(({ isGrave }) => isGrave))
    throw new SetupFailure(
      "The REST server should not be used as it runs.",
      "Run it as deploy/signal/compose.yaml does; then run this again.",
    );
  if (findings.length === 0) say("✓ what it shows of itself is as it should be");
}

function nextSteps({ compose, env }: SetupOptions): string {
  const run = `docker compose --env-file ${env} -f ${compose}`;
  return `
  start     ${run} up -d
  account   ${run} exec node node tee-bot/cli/main.ts signal link
              a device of an account that a telephone has; "signal register +…" for a number of the bot's own
  check     ${run} exec node node tee-bot/cli/main.ts signal status
  in dstack give ${env} as encrypted environment: scripts/encrypt-secrets.ts
  more      docs/signal.md
`;
}
