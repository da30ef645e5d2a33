/** `postern watch`: certificates and CAA records that let somebody else answer for a name. Anyone can run it. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { AppError, errorText } from "../../shared/errors.ts";
import { onTermination } from "../../shared/nodejs/termination.ts";
import { parseLogList, parseLogSpec, type LogSpec } from "../attestation/transparency/log-spec.ts";
import { normaliseName } from "../attestation/transparency/names.ts";
import type { WatchWish } from "../attestation/transparency/run-watch.ts";
import { parseWebhook, webhookSecretVariable } from "../attestation/transparency/webhook.ts";
import { runCommand, stateFlag } from "./command.ts";
import { parseDuration } from "./duration.ts";
import { CliError } from "./failure.ts";

const defaultResolvers = ["https://cloudflare-dns.com/dns-query", "https://dns.google/dns-query"];
const defaultEntriesPerSecond = 1_000;
const maxEntriesPerSecond = 100_000;
const maxNames = 100;
const maxLogs = 50;
const couldNotCheck = 2;

interface WatchFlags {
  log: string[];
  logList?: string;
  from: string;
  expect: string[];
  account: string[];
  resolver: string[];
  caa: boolean;
  webhook?: string;
  every: string;
  rate: string;
  once?: boolean;
  state: string;
}

const listed = (value: string, before: string[]): string[] => [...before, value];

export function addWatchCommand(program: Command): void {
  program
    .command("watch")
    .description(
      "tell of certificates for names whose key their node has not attested, and of CAA records that allow them",
    )
    .argument("<name...>", "public names, such as alice.example.net")
    .option(
      "--log <url>",
      "URL of a log (its monitoring prefix; rfc6962+https://… for the older API), its key after a #; may be given again",
      listed,
      [],
    )
    .option("--log-list <file>", "read the usable logs of a list in the form of Chrome's log_list.json")
    .option("--from <where>", "where to begin in a log not read before: now, or the number of an entry", "now")
    .option(
      "--expect <sha256>",
      "a key (SHA-256 of its SubjectPublicKeyInfo, hex) that may be there; may be given again",
      listed,
      [],
    )
    .option("--account <uri>", "an ACME account that CAA may name; may be given again", listed, [])
    .option("--resolver <url>", "a resolver (DNS over HTTPS) to look at CAA with; may be given again", listed, [])
    .option("--no-caa", "leave CAA alone")
    .option("--webhook <url>", `send alerts there too, signed with the secret in ${webhookSecretVariable}`)
    .option("--every <time>", "how often to look: 5m, 1h", "5m")
    .option("--rate <count>", "entries a second that are read of each log", String(defaultEntriesPerSecond))
    .option("--once", "look once; exit code 0: nothing foreign, 1: something foreign, 2: could not check")
    .option(stateFlag[0], "where it is kept what was seen", stateFlag[2])
    .action((names: string[], flags: WatchFlags) =>
      runCommand("Nothing is watched.", async () => {
        process.exitCode = couldNotCheck; // unless it ends otherwise
        const wish = readWish(names, flags, process.env);
        const { runWatch } = await import("../attestation/transparency/run-watch.ts");
        process.exitCode = await runWatch(wish, onTermination());
      }),
    );
}

function readWish(names: readonly string[], flags: WatchFlags, environment: NodeJS.ProcessEnv): WatchWish {
  const everyMs = parseDuration(flags.every);
  const from = flags.from === "now" ? flags.from : count(flags.from, Number.MAX_SAFE_INTEGER);
  const entriesPerSecond = count(flags.rate, maxEntriesPerSecond);
  const plain = [...new Set(names.map(normaliseName))];
  const wrong = [
    ...plain.filter((name) => !isName(name)).map((name) => `"${name}" is no DNS name.`),
    ...(plain.length > maxNames ? [`At most ${maxNames} names can be watched at once.`] : []),
    ...flags.expect.filter((hash) => !/^[0-9a-fA-F]{64}$/.test(hash)).map((hash) => `--expect ${hash} is no SHA-256.`),
    ...flags.resolver.filter((url) => !URL.canParse(url)).map((url) => `--resolver ${url} is no URL.`),
    ...(everyMs === undefined ? [`--every ${flags.every} is no length of time.`] : []),
    ...(from === undefined ? [`--from ${flags.from} is neither now nor a number.`] : []),
    ...(!entriesPerSecond ? [`--rate ${flags.rate} is no number from 1 to ${maxEntriesPerSecond}.`] : []),
  ];
  if (wrong.length > 0 || everyMs === undefined || from === undefined || !entriesPerSecond)
    throw refusal(wrong.join("\n"));
  return {
    names: plain,
    logs: readLogs(flags),
    from,
    expected: flags.expect.map((hash) => hash.toLowerCase()),
    ask: undefined,
    accounts: flags.account,
    resolvers: flags.caa ? (flags.resolver.length > 0 ? flags.resolver : defaultResolvers) : [],
    webhook: flags.webhook === undefined ? undefined : parseWebhook(flags.webhook, environment[webhookSecretVariable]),
    entriesPerSecond,
    everyMs,
    once: flags.once ?? false,
    state: flags.state,
  };
}

function readLogs({ log, logList }: WatchFlags): LogSpec[] {
  const logs = [...log.map(parseLogSpec), ...(logList === undefined ? [] : readLogList(logList))];
  if (logs.length === 0) throw refusal("No log is named (--log, --log-list), and certificates are seen nowhere else.");
  if (logs.length > maxLogs) throw refusal(`At most ${maxLogs} logs can be read at once.`);
  return logs;
}

function readLogList(path: string): LogSpec[] {
  try {
    return parseLogList(JSON.parse(readFileSync(path, "utf8")), Date.now());
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refusal(`The list of logs ${path} cannot be read: ${errorText(error)}.`);
  }
}

function refusal(why: string): CliError {
  return new CliError({
    what: "Nothing is watched.",
    why,
    remedy: "postern watch --help tells what can be given.",
  });
}

function count(text: string, max: number): number | undefined {
  return /^\d{1,16}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

function isName(name: string): boolean {
  return (
    name.length <= 253 &&
    /^(?=.*[a-z])([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)
  );
}
