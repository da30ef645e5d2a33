import { describe, expect, it } from "vitest";
import { OperatorNotices } from "../../../../tee-bot/bot/send/operator-notices.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const account = "+15550000001";
const operator = "aaaaaaaa-1111-4111-8111-111111111111";
const hourMs = 60 * 60_000;

function world(operators = [operator]) {
  const clock = new ManualClock(Date.UTC(2026, 10, 21, 20, 30));
  const log = recordingLog();
  return { clock, log, notices: new OperatorNotices({ operators, clock, log }) };
}

describe("what an operator is told", () => {
  it("is logged and written once an hour for each kind of trouble, and says what to do", () => {
    const { clock, log, notices } = world();
    for (let minute = 0; minute < 60; minute++) {
      notices.tell("untrusted", account);
      notices.tell("undecidable", account);
      clock.advance(59_000);
    }
    expect(log.events.map(({ fields }) => fields["trouble"])).toEqual(["untrusted", "undecidable"]);
    const written = notices.takeUnwritten();
    expect(written.map(({ person }) => person)).toEqual([operator, operator]);
    expect(written[0]).toMatchObject({
      account,
      text: expect.stringMatching(/^Since 2026-11-21 20:30 UTC: .*trust it/),
    });
    notices.tell("untrusted", account);
    expect(notices.takeUnwritten()).toEqual([]);
    clock.advance(hourMs);
    notices.tell("untrusted", account);
    expect([notices.takeUnwritten().length, log.events.length]).toEqual([1, 3]);
    expect(notices.troubles).toMatchObject([
      { kind: "untrusted", count: 62 },
      { kind: "undecidable", count: 60 },
    ]);
  });

  it("is no message for what is over within a minute, such as a restart", () => {
    const { clock, log, notices } = world();
    notices.tell("unreachable", account);
    clock.advance(20_000);
    notices.tell("unreachable", account);
    notices.over();
    expect([notices.takeUnwritten(), notices.troubles, log.events.length]).toEqual([[], [], 1]);
    notices.tell("unreachable", account);
    clock.advance(60_000);
    notices.tell("unreachable", account);
    expect(notices.takeUnwritten()).toHaveLength(1);
  });

  it("stays in the status for a day when it was an event of its own", () => {
    const { clock, notices } = world();
    notices.tell("refused", account);
    notices.over();
    expect(notices.troubles).toHaveLength(1);
    clock.advance(24 * hourMs);
    expect(notices.troubles).toEqual([]);
  });

  it("is no message where there is no operator, nor before an account is known", () => {
    const nobody = world([]);
    nobody.notices.tell("undecidable", account);
    expect(nobody.notices.takeUnwritten()).toEqual([]);
    const { notices } = world();
    notices.tell("undecidable", undefined);
    expect(notices.takeUnwritten()).toEqual([]);
  });
});
