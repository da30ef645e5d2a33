/** `npm run soak`: the whole system under mixed visitors and random faults, for as long as it is told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorText } from "../../shared/errors.ts";
import { onTermination } from "../../shared/nodejs/termination.ts";
import { judge } from "./judge.ts";
import { parseSoakOptions, usage, type SoakOptions } from "./options.ts";
import { finalReport, jsonReport, minuteLine } from "./report.ts";
import { runSoak, type SoakEvents } from "./soak.ts";

const usageExitCode = 2;

const stop = onTermination();
const write = (line: string): void => void process.stdout.write(`${line}\n`);

let options: SoakOptions | undefined;
try {
  options = parseSoakOptions(process.argv.slice(2), Math.floor(Math.random() * 2 ** 32));
} catch (error) {
  process.stderr.write(`${errorText(error)}\n\n${usage}`);
  process.exit(usageExitCode);
}
if (options) process.exitCode = (await soak(options)) ? 0 : 1;
else write(usage);
process.exit();

async function soak(chosen: SoakOptions): Promise<boolean> {
  const { minutes, seed, keep, json } = chosen;
  const directory = keep ?? mkdtempSync(join(tmpdir(), "postern-soak-"));
  mkdirSync(directory, { recursive: true });
  write(`A soak of ${minutes} minutes with seed ${seed}; logs in ${join(directory, "log")}`);
  try {
    const events: SoakEvents = {
      say: (words) => write(`          ${words}`),
      onMinute: (course) => write(minuteLine(course)),
    };
    const course = await runSoak(chosen, directory, events, stop);
    const { counts, unexcused, stuck, lingering, incidents } = course.notes;
    const verdict = judge({ counts, unexcused, stuck, lingering, incidents, series: course.samples.series });
    write(finalReport(course, chosen, verdict));
    if (json !== undefined) writeFileSync(json, jsonReport(course, chosen, verdict));
    return verdict.ok;
  } catch (error) {
    write(`FAILED: ${errorText(error)}`);
    return false;
  } finally {
    if (keep === undefined) rmSync(directory, { recursive: true, force: true });
  }
}
