/** Encrypts secrets for one application of dstack: see the usage in secrets/options.ts. */
import { readFileSync } from "node:fs";
import { AppError } from "../shared/errors.ts";
import { onTermination } from "../shared/nodejs/termination.ts";
import { UsageError } from "./launcher/options.ts";
import { askKms, maxAnswerBytes, parseKmsKey } from "./secrets/ask-kms.ts";
import { readCompose } from "./secrets/compose.ts";
import { encryptEnv } from "./secrets/encrypt-env.ts";
import { verifyKmsKey } from "./secrets/kms-key.ts";
import { parseSecretsOptions, usage, type SecretsOptions } from "./secrets/options.ts";
import { maxSecretsBytes, readSecrets } from "./secrets/read-secrets.ts";

const usageExitCode = 2;
const standardInput = 0;
const maxComposeBytes = 512 * 1024;
const signal = onTermination();

try {
  const options = parseSecretsOptions(process.argv.slice(2));
  process.stdout.write(options ? `${await run(options)}\n` : usage);
} catch (error) {
  process.exitCode = error instanceof UsageError ? usageExitCode : 1;
  const why = error instanceof AppError ? error.detail : error instanceof Error ? error.message : String(error);
  process.stderr.write(`Nothing was encrypted.\n  why:  ${why}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}`);
}

async function run({ appId, key, signers, allowUndated, env, compose }: SecretsOptions): Promise<string> {
  const app = compose === undefined ? undefined : readCompose(readText(compose, maxComposeBytes));
  const id = appId ?? app?.appId ?? "";
  const secrets = readSecrets(readText(env ?? standardInput, maxSecretsBytes), app?.allowed);
  const answer =
    "kms" in key ? await askKms(key.kms, id, { fetch, signal }) : parseKmsKey(readText(key.file, maxAnswerBytes));
  const now = Math.floor(Date.now() / 1_000);
  const verdict = verifyKmsKey(answer, { appId: Buffer.from(id, "hex"), signers, now, allowUndated });
  if (!verdict.ok) throw new AppError("evidence-rejected", verdict.reason);
  return encryptEnv(secrets, answer.publicKey).toString("hex");
}

function readText(file: string | number, maxBytes: number): string {
  const bytes = readFileSync(file);
  if (bytes.length <= maxBytes) return bytes.toString();
  throw new AppError(
    "too-large",
    `${file === standardInput ? "Standard input" : file} has more than ${maxBytes} bytes.`,
  );
}
