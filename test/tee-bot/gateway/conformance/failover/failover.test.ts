import { afterAll, describe, expect, it } from "vitest";
import { judge, type Verdict } from "./judge.ts";
import type { Observation } from "./observation.ts";
import { play } from "./play.ts";
import { scenarios, type Scenario } from "./scenarios.ts";
import { deliveries } from "./scorecard.ts";

/** Nothing can be taken back once it was sent: what fails after that ends as an error that the client sees. */
const safeWhenStreamed = new Set(["S08", "S09", "S10", "S14"]);

const expected = (id: string, delivery: (typeof deliveries)[number]): Verdict =>
  delivery === "stream" && safeWhenStreamed.has(id) ? "safe" : "pass";

describe.each(deliveries)("the sixteen failures of a provider, delivery %s", (delivery) => {
  const verdicts: string[] = [];
  afterAll(() => console.log(`delivery ${delivery}: ${verdicts.join(" ")}`));

  it.concurrent.each(scenarios.map((one) => [one.id, one.title, one] as const))(
    "%s %s",
    async (id, _, scenario) => {
      const { verdict, why } = judge(scenario, await play(scenario, delivery));
      verdicts.push(`${id} ${verdict}`);
      expect(`${verdict}: ${why}`).toMatch(new RegExp(`^${expected(id, delivery)}: `));
    },
    60_000,
  );
});

describe("the judge of the scenarios", () => {
  const [scenario] = scenarios.filter(({ id }) => id === "S01") as [Scenario];
  const answer = {
    atMs: 0,
    tookMs: 5,
    outcome: "answer",
    complete: true,
    error: undefined,
    model: "primary",
    tokens: 60,
  } as const;
  const seen: Observation = {
    answers: [answer],
    primaryAt: [0, 1_000],
    fallbackAt: [],
    prefillRefusals: 0,
    aliveAfter: true,
    downMs: 0,
  };

  it.each([
    ["pass", {}],
    ["fail", { answers: [{ ...answer, complete: false }] }],
    ["fail", { answers: [{ ...answer, outcome: "hang", error: "aborted" } as const] }],
    ["fail", { primaryAt: [0, 200, 400] }], // hammered
    ["partial", { primaryAt: [0, 200] }], // too early
    ["safe", { answers: [{ ...answer, outcome: "error", error: "429", complete: false } as const] }],
  ] as const)("says %s", (verdict, difference) => {
    expect(judge(scenario, { ...seen, ...difference }).verdict).toBe(verdict);
  });

  it("takes an answer for partial where the provider's refusal should be told", () => {
    expect(judge({ ...scenario, ideal: "error" }, seen).verdict).toBe("partial");
  });
});
