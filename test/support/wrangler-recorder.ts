/**
 * A program in wrangler's place: it keeps secrets in a directory, writes down how it was called, and deploys nothing.
 * The directory is in WRANGLER_RECORDER; `faults.json` in it says which commands fail: `{"deploy": "what it prints"}`.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

export interface RecordedCall {
  readonly args: string[];
  readonly stdin: string;
  /** Variables that hold credentials, as far as they were set. */
  readonly credentials: Record<string, string>;
}

/** What a test sees and sets of the recorder in one directory. */
export class WranglerRecorder {
  static readonly program = import.meta.filename;
  readonly #directory: string;

  constructor(directory: string, { deployedAt }: { deployedAt: string }) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "target"), deployedAt);
  }

  get environment(): Record<string, string> {
    return { WRANGLER_RECORDER: this.#directory };
  }

  /** Every call so far, in their order. */
  get calls(): RecordedCall[] {
    return readLines(join(this.#directory, "calls.ndjson")) as RecordedCall[];
  }

  /** Undefined: there is no such Worker yet. */
  get secrets(): Record<string, string> | undefined {
    return readJson(join(this.#directory, "secrets.json")) as Record<string, string> | undefined;
  }

  set secrets(secrets: Record<string, string>) {
    writeFileSync(join(this.#directory, "secrets.json"), JSON.stringify(secrets));
  }

  /** Commands that fail, with what they print: `secret list`, `secret put`, `deploy`. */
  set faults(faults: Record<string, string>) {
    writeFileSync(join(this.#directory, "faults.json"), JSON.stringify(faults));
  }
}

function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

function readLines(path: string): unknown[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();

async function main(): Promise<void> {
  const directory = process.env["WRANGLER_RECORDER"] ?? "";
  const args = process.argv.slice(2);
  const stdin = await text(process.stdin);
  const credential = /TOKEN|KEY|SECRET|HMAC|KID/;
  const credentials = Object.fromEntries(Object.entries(process.env).filter(([name]) => credential.test(name)));
  appendFileSync(join(directory, "calls.ndjson"), `${JSON.stringify({ args, stdin, credentials })}\n`);

  const command = args[0] === "secret" ? `secret ${args[1]}` : (args[0] ?? "");
  const fault = (readJson(join(directory, "faults.json")) as Record<string, string> | undefined)?.[command];
  if (fault !== undefined) return fail(fault);
  const secretsPath = join(directory, "secrets.json");
  const secrets = readJson(secretsPath) as Record<string, string> | undefined;
  if (command === "secret list") {
    if (!secrets)
      return fail(`✘ [ERROR] Worker "${args.find((arg) => arg.startsWith("--name="))?.slice(7)}" not found.`);
    const list = Object.keys(secrets).map((name) => ({ name, type: "secret_text" }));
    process.stdout.write(`${JSON.stringify(list, null, 2)}\n`);
  } else if (command === "secret put") {
    writeFileSync(secretsPath, JSON.stringify({ ...secrets, [args[2] ?? ""]: stdin.trimEnd() }));
    process.stdout.write(`✨ Success! Uploaded secret ${args[2]}\n`);
  } else if (command === "deploy") {
    if (!secrets) writeFileSync(secretsPath, "{}");
    const deployed = { type: "deploy", version: 1, targets: [readFileSync(join(directory, "target"), "utf8")] };
    const report = process.env["WRANGLER_OUTPUT_FILE_PATH"];
    if (report !== undefined)
      appendFileSync(report, `{"type":"wrangler-session","version":1}\n${JSON.stringify(deployed)}\n`);
    process.stdout.write("Uploaded postern-edge\n");
  } else fail(`unknown command: ${args.join(" ")}`);
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
