/** What `postern watch` does: reads what its flags name, and watches. */
import { systemClock } from "../../shared/clock.ts";
import { AppError, errorText } from "../../shared/errors.ts";
import { onTermination } from "../../shared/nodejs/termination.ts";
import { askCollateralOf } from "../attestation/client/observe/ask-collateral.ts";
import { systemRoots } from "../attestation/client/observe/connection.ts";
import { maxProofBytes, parseProof } from "../attestation/client/proof.ts";
import { inspectProof } from "../attestation/client/verify-node.ts";
import { attestedKeysOf, createAskNode, neededChecks } from "../attestation/transparency/ask-node.ts";
import { parseLogList, parseLogSpec, type LogSpec } from "../attestation/transparency/log-spec.ts";
import { isHostname, normaliseName } from "../attestation/transparency/names.ts";
import { runWatch, type WatchWish } from "../attestation/transparency/run-watch.ts";
import { parseWebhook, webhookSecretVariable } from "../attestation/transparency/webhook.ts";
import { parseDuration } from "./duration.ts";
import { CliError } from "./failure.ts";
import { readSmallFile } from "./small-file.ts";
import { judgementOf, rootsIn } from "./verify-actions.ts";

export interface WatchFlags {
  log: string[];
  logList?: string;
  from: string;
  expect: string[];
  proof: string[];
  ask: boolean;
  policy?: string;
  simulatorRoot?: string;
  cacert?: string;
  connect?: string;
  collateral?: string;
  account: string[];
  resolver: string[];
  caa: boolean;
  webhook?: string;
  every: string;
  rate: string;
  once?: boolean;
  state: string;
}

const defaultResolvers = ["https://cloudflare-dns.com/dns-query", "https://dns.google/dns-query"];
const maxEntriesPerSecond = 100_000;
const maxNames = 100;
const maxLogs = 50;
/** Chrome's has some 200 kB. */
const maxLogListBytes = 8 * 1024 * 1024;

/** The exit code. Throws {@link CliError} and {@link AppError} where the command itself is wrong. */
export async function watch(given: readonly string[], flags: WatchFlags): Promise<number> {
  const { names, everyMs, from, entriesPerSecond } = readPlain(given, flags);
  const { webhook, once = false, state, account: accounts } = flags;
  const wish: WatchWish = {
    names,
    logs: readLogs(flags),
    from,
    expected: flags.expect.map((hash) => hash.toLowerCase()),
    ask: flags.ask ? askOf(flags) : undefined,
    proved: await readProofs(names, flags),
    simulated: flags.simulatorRoot !== undefined,
    accounts,
    resolvers: flags.caa ? (flags.resolver.length > 0 ? flags.resolver : defaultResolvers) : [],
    webhook: webhook === undefined ? undefined : parseWebhook(webhook, process.env[webhookSecretVariable]),
    entriesPerSecond,
    everyMs,
    once,
    state,
  };
  return runWatch(wish, onTermination());
}

type Plain = Pick<WatchWish, "names" | "everyMs" | "from" | "entriesPerSecond">;

/** Every mistake at once. */
function readPlain(given: readonly string[], flags: WatchFlags): Plain {
  const names = [...new Set(given.map(normaliseName))];
  const everyMs = parseDuration(flags.every);
  const from = flags.from === "now" ? flags.from : count(flags.from, Number.MAX_SAFE_INTEGER);
  const entriesPerSecond = count(flags.rate, maxEntriesPerSecond);
  const wrong = [
    ...names.filter((name) => !isHostname(name)).map((name) => `"${name}" is no DNS name.`),
    ...(names.length > maxNames ? [`At most ${maxNames} names can be watched at once.`] : []),
    ...flags.expect.filter((hash) => !/^[0-9a-fA-F]{64}$/.test(hash)).map((hash) => `--expect ${hash} is no SHA-256.`),
    ...flags.resolver.filter((url) => !URL.canParse(url)).map((url) => `--resolver ${url} is no URL.`),
    ...(everyMs === undefined ? [`--every ${flags.every} is no length of time.`] : []),
    ...(from === undefined ? [`--from ${flags.from} is neither now nor a number.`] : []),
    ...(!entriesPerSecond ? [`--rate ${flags.rate} is no number from 1 to ${maxEntriesPerSecond}.`] : []),
  ];
  if (wrong.length > 0 || everyMs === undefined || from === undefined || !entriesPerSecond)
    throw refusal(wrong.join("\n"));
  return { names, everyMs, from, entriesPerSecond };
}

function readLogs({ log, logList }: WatchFlags): LogSpec[] {
  const logs = [...log.map(parseLogSpec), ...(logList === undefined ? [] : readLogList(logList))];
  if (logs.length === 0) throw refusal("No log is named (--log, --log-list), and certificates are seen nowhere else.");
  if (logs.length > maxLogs) throw refusal(`At most ${maxLogs} logs can be read at once.`);
  return logs;
}

function readLogList(path: string): LogSpec[] {
  const text = readSmallFile(path, maxLogListBytes);
  try {
    return parseLogList(JSON.parse(text), systemClock.now());
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw refusal(`The list of logs ${path} cannot be read: ${errorText(error)}.`);
  }
}

function askOf(flags: WatchFlags): WatchWish["ask"] {
  const judgement = judgementOf(flags);
  return createAskNode({
    ...judgement,
    roots: flags.cacert === undefined ? undefined : rootsIn(flags.cacert),
    askCollateral: askCollateralOf(flags.collateral, judgement.trust !== undefined),
    connect: flags.connect,
  });
}

async function readProofs(names: readonly string[], flags: WatchFlags): Promise<WatchWish["proved"]> {
  const roots = flags.cacert === undefined ? systemRoots() : rootsIn(flags.cacert);
  const proved: { name: string; keys: ReturnType<typeof attestedKeysOf> }[] = [];
  for (const path of flags.proof) {
    const proof = parseProof(readSmallFile(path, maxProofBytes), roots);
    const { report } = await inspectProof(proof, { ...judgementOf(flags), require: neededChecks });
    proved.push(...names.map((name) => ({ name, keys: attestedKeysOf(report, name) })));
  }
  return proved;
}

function refusal(why: string): CliError {
  const remedy = "postern watch --help tells what can be given.";
  return new CliError({ what: "Nothing is watched.", why, remedy });
}

function count(text: string, max: number): number | undefined {
  return /^\d{1,16}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}
