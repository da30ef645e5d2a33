/** wrangler as the setup runs it: without a terminal, secrets on its standard input only. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { SetupFailure } from "./failure.ts";
import { secretNames } from "./settings.ts";
import { projectRoot, quietEnvironment, wranglerProgram } from "../wrangler.ts";

const commandDeadlineMs = 120_000;
const deployDeadlineMs = 300_000;
const maxOutputCharacters = 100_000;
const maxToldLines = 12;

export interface Wrangler {
  /** The secrets that the Worker has, by name; none when there is no such Worker yet. */
  secrets(worker: string): Promise<Set<string>>;
  putSecret(config: string, name: string, value: string): Promise<void>;
  /** Applies migrations too. The addresses the Worker is at. */
  deploy(config: string): Promise<string[]>;
}

export interface WranglerOptions {
  /** Undefined: the wrangler of this checkout. */
  readonly program: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

const secretListSchema = z.array(z.object({ name: z.string() }));
const deployedSchema = z.object({ type: z.literal("deploy"), targets: z.array(z.string()).default([]) });

export function createWrangler(options: WranglerOptions): Wrangler {
  return {
    async secrets(worker) {
      const args = [
        "secret",
        "list",
        "--format=json",
        `--name=${worker}`,
        "--config",
        join(projectRoot, "wrangler.toml"),
      ];
      const { code, stdout, stderr } = await run(options, args, {});
      if (code !== 0 && /Worker .* not found|code: 10007/.test(stderr + stdout)) return new Set();
      if (code !== 0) throw failureOf(args, stdout + stderr);
      const listed = secretListSchema.safeParse(jsonWithin(stdout));
      if (!listed.success) throw failureOf(args, stdout + stderr);
      return new Set(listed.data.map(({ name }) => name));
    },

    async putSecret(config, name, value) {
      const args = ["secret", "put", name, "--config", config];
      const { code, stdout, stderr } = await run(options, args, { stdin: value });
      if (code !== 0) throw failureOf(args, stdout + stderr);
    },

    async deploy(config) {
      const directory = mkdtempSync(join(tmpdir(), "postern-deploy-"));
      const report = join(directory, "output.ndjson");
      try {
        const args = ["deploy", "--config", config];
        const environment = { WRANGLER_OUTPUT_FILE_PATH: report };
        const { code, stdout, stderr } = await run(options, args, { environment, deadlineMs: deployDeadlineMs });
        if (code !== 0) throw failureOf(args, stdout + stderr);
        return targetsOf(report);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
  };
}

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

function run(
  { program, environment, signal }: WranglerOptions,
  args: string[],
  more: { stdin?: string; environment?: Record<string, string>; deadlineMs?: number },
): Promise<Run> {
  const path = program ?? wranglerProgram;
  const [command, first] = /\.[cm]?[jt]s$/.test(path) ? [process.execPath, [path]] : [path, []];
  const deadline = AbortSignal.timeout(more.deadlineMs ?? commandDeadlineMs);
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...first, ...args], {
      cwd: projectRoot,
      env: { ...environmentFor(environment), ...more.environment },
      stdio: ["pipe", "pipe", "pipe"],
      killSignal: "SIGKILL",
      signal: AbortSignal.any([signal, deadline]),
    });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const)
      child[stream]
        .setEncoding("utf8")
        .on("data", (text: string) => (output[stream] = (output[stream] + text).slice(-maxOutputCharacters)));
    child.stdin.once("error", () => {}); // a program that ends without reading
    child.stdin.end(more.stdin ?? "");
    child.once("error", (error) => {
      if (signal.aborted) reject(error);
      else if (!deadline.aborted)
        reject(new SetupFailure(`${path} cannot be run: ${error.message}.`, "Check --wrangler."));
    });
    child.once("close", (code) => resolve({ code, ...output }));
  });
}

/** Wrangler takes CLOUDFLARE_API_TOKEN for its own, so the edge's is kept from it, with all other secrets. */
function environmentFor({ CLOUDFLARE_DEPLOY_TOKEN: token, ...environment }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !secretNames.includes(name));
  return {
    ...Object.fromEntries(kept),
    ...quietEnvironment,
    NO_COLOR: "1",
    ...(token && { CLOUDFLARE_API_TOKEN: token }),
  };
}

function failureOf(args: readonly string[], output: string): SetupFailure {
  const command = `wrangler ${args
    .slice(0, args.indexOf("--config"))
    .filter((arg) => !arg.startsWith("--"))
    .join(" ")}`;
  const lines = stripVTControlCharacters(output)
    .split("\n")
    .filter((line) => line.trim() !== "");
  const told = lines.slice(-maxToldLines).join("\n");
  const remedy = /CLOUDFLARE_API_TOKEN|not (logged in|authenticated)|wrangler login|code: (10000|9109|6111)/i.test(
    output,
  )
    ? 'Run "npx wrangler login", or set CLOUDFLARE_DEPLOY_TOKEN to a token that may edit Workers.'
    : "Mend what wrangler says, then run this again: it goes on where it stopped.";
  return new SetupFailure(`${command} failed:\n${told || "It ended without a word, or took too long."}`, remedy);
}

/** Wrangler may say more than the answer on the same stream. */
function jsonWithin(text: string): unknown {
  try {
    return JSON.parse(text.slice(text.indexOf("["), text.lastIndexOf("]") + 1));
  } catch {
    return undefined;
  }
}

function targetsOf(report: string): string[] {
  if (!statSync(report, { throwIfNoEntry: false })) return [];
  const lines = readFileSync(report, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  return lines.flatMap((line) => {
    const deployed = deployedSchema.safeParse(JSON.parse(line));
    return deployed.success ? deployed.data.targets : [];
  });
}
