import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OwnWatch } from "../../../../tee-bot/attestation/transparency/own-watch.ts";
import { temporaryFolder } from "../../../shared/temporary-folder.ts";
import { issue, others, type IssuedCertificate } from "../../../support/ct-certificates.ts";
import { startCtLog, type CtLog } from "../../../support/ct-log.ts";
import { hastyClock } from "../../../support/hasty-clock.ts";
import { recordingLog } from "../../support/log.ts";

const name = "alice.example.net";
let stack: AsyncDisposableStack;
let server: CtLog;
let path: string;
let own: IssuedCertificate;
let log: ReturnType<typeof recordingLog>;
let changes: number;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  server = stack.use(await startCtLog());
  path = join(stack.use(temporaryFolder()).path, "own-watch.json");
  own = await issue([name]);
  log = recordingLog();
  changes = 0;
  server.add(...others(3));
});
afterEach(() => stack.disposeAsync());

/** Runs until the test ends. */
function start(expected: readonly string[] = [own.spkiSha256]): OwnWatch {
  const logs = [`${server.url}/#${server.key}`];
  const clock = hastyClock(5_000); // five minutes in 60 ms
  const onChange = (): void => void changes++;
  const watch = new OwnWatch({ logs, expected, path, fetch, clock, random: () => 0, log, onChange });
  watch.follow([name]);
  const stop = new AbortController();
  const ended = watch.run(stop.signal);
  stack.defer(async () => {
    stop.abort();
    await ended;
  });
  return watch;
}

const rounds = () => log.events.filter(({ event }) => event === "log.read").length;
async function nextRounds(): Promise<void> {
  const wanted = rounds() + 2;
  while (rounds() < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a node that watches its own names", () => {
  it("has no trouble with its own certificates, and one with those of another key", async () => {
    const watch = start();
    await nextRounds();
    server.add(own.precertificate, own.certificate);
    await nextRounds();
    expect(watch.troubles).toEqual([]);
    expect(changes).toBe(0);
    server.add((await issue([name])).precertificate);
    await nextRounds();
    expect(watch.troubles).toEqual([
      {
        detail: expect.stringContaining(`a certificate for ${name} with a key that is not this node's (CN=Test CA`),
        remedy: expect.stringContaining("have its CA revoke it"),
      },
    ]);
    expect(changes).toBe(1);
    expect(log.events.filter(({ level }) => level === "error")).toMatchObject([{ event: "certificate.foreign" }]);
  });

  it("remembers the trouble over a restart, until the key is one that may be there", async () => {
    const first = start();
    await nextRounds();
    const foreign = await issue([name]);
    server.add(foreign.certificate);
    await nextRounds();
    expect(first.troubles).toHaveLength(1);
    expect(start().troubles).toHaveLength(1);
    expect(start([own.spkiSha256, foreign.spkiSha256]).troubles).toEqual([]);
  });

  it("watches the names that it has at the moment", async () => {
    const watch = start();
    watch.follow([]);
    await nextRounds();
    server.add((await issue([name])).certificate);
    await nextRounds();
    watch.follow([name, "bob.example.net"]);
    server.add((await issue(["bob.example.net"])).certificate);
    await nextRounds();
    expect(watch.troubles).toMatchObject([{ detail: expect.stringContaining("for bob.example.net") }]);
  });

  it("has a trouble with a log that cannot be believed, as long as it is so", async () => {
    const watch = start();
    await nextRounds();
    server.signWith();
    await expect.poll(() => changes).toBe(1);
    expect(watch.troubles).toMatchObject([{ detail: expect.stringContaining("not signed with the log's key") }]);
  });

  it("goes on serving with a memory that is damaged, and says that it does not watch", () => {
    writeFileSync(path, "{");
    expect(start().troubles).toMatchObject([{ remedy: `Move ${path} away, and start the node again.` }]);
  });
});
