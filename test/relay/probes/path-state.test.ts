import { describe, expect, it } from "vitest";
import { decideState, isDueForTelling, unseen, type PathState } from "../../../relay/probes/path-state.ts";
import { anotherKey, silent, type Finding } from "../../../relay/probes/reasons.ts";

const up: Finding = { outcome: "up" };

function after(...findings: Finding[]): PathState {
  let state = unseen;
  for (const [at, finding] of findings.entries()) state = decideState(state, finding, at + 1);
  return state;
}

describe("a path", () => {
  it("is up at the first success, and down at the second failure in a row", () => {
    expect(after().state).toBeUndefined();
    expect(after(up).state).toBe("up");
    expect(after(anotherKey).state).toBeUndefined();
    expect(after(up, anotherKey).state).toBe("up");
    expect(after(up, anotherKey, up, anotherKey).state).toBe("up");
    expect(after(up, anotherKey, silent(5))).toMatchObject({ state: "down", detail: "no answer within 5 s" });
    expect(after(anotherKey, anotherKey, up)).toMatchObject({ state: "up", detail: undefined, failures: 0 });
  });

  it("is left as it was by a look that says nothing of it", () => {
    for (const outcome of ["unknown", "hidden"] as const) {
      expect(after(up, { outcome })).toEqual(after(up));
      expect(after(up, anotherKey, { outcome }, anotherKey).state).toBe("down");
    }
  });
});

describe("what is told", () => {
  const refreshMs = 1_000;
  const told = (state: PathState, toldAt = state.checkedAt): PathState => ({ ...state, toldAt });

  it("is every change, and another reason", () => {
    expect(isDueForTelling(unseen, after(up), refreshMs)).toBe(true);
    expect(isDueForTelling(unseen, after(anotherKey), refreshMs)).toBe(false);
    const isUp = told(after(up));
    expect(isDueForTelling(isUp, decideState({ ...isUp, failures: 1 }, anotherKey, 9), refreshMs)).toBe(true);
    const isDown = told(after(anotherKey, anotherKey));
    expect(isDueForTelling(isDown, decideState(isDown, anotherKey, 9), refreshMs)).toBe(false);
    expect(isDueForTelling(isDown, decideState(isDown, silent(5), 9), refreshMs)).toBe(true);
  });

  it("is what stays the same, from time to time, but never a state in doubt", () => {
    const isUp = told(after(up), 1);
    expect(isDueForTelling(isUp, decideState(isUp, up, 1_000), refreshMs)).toBe(false);
    expect(isDueForTelling(isUp, decideState(isUp, up, 1_001), refreshMs)).toBe(true);
    expect(isDueForTelling(isUp, decideState(isUp, anotherKey, 9_999), refreshMs)).toBe(false);
    expect(isDueForTelling(isUp, decideState(isUp, { outcome: "unknown" }, 9_999), refreshMs)).toBe(false);
  });
});
