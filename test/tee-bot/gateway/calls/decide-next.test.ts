import { describe, expect, it } from "vitest";
import { backOffMs, decideNext, type Next } from "../../../../tee-bot/gateway/calls/decide-next.ts";
import type { Trouble } from "../../../../tee-bot/gateway/calls/attempts/trouble.ts";
import type { Provider } from "../../../../tee-bot/gateway/providers/provider.ts";
import type { Candidate } from "../../../../tee-bot/gateway/routing/route.ts";

const provider = (id: string): Provider => ({ id }) as Provider;
const a = provider("a");
const candidate = (of: Provider, contextLength?: number): Candidate => ({
  provider: of,
  model: "m",
  contextLength,
  reason: "",
  admit: () => undefined,
});
const rules = { perProvider: 2, total: 4, waitSeconds: 2.5 };
const route = [candidate(a, 8_000), candidate(a, 4_000), candidate(provider("b"), 16_000), candidate(provider("c"))];

interface Case {
  at?: number;
  attemptsHere?: number;
  attempts?: number;
  candidates?: readonly Candidate[];
}
function next(trouble: Trouble, { at = 0, attemptsHere = 1, attempts = 1, candidates = route }: Case = {}): Next {
  return decideNext(trouble, { candidates, at, attemptsHere, attempts }, rules, () => 0.5);
}

describe("after a failed attempt", () => {
  it("a transient failure is tried once more at the same provider, then at the next", () => {
    expect(next({ kind: "transient" })).toEqual({ do: "repeat", afterMs: 250 });
    expect(next({ kind: "transient" }, { attemptsHere: 2, attempts: 2 })).toEqual({ do: "move", to: 1 });
  });

  it("a short Retry-After is waited for, a long one is not", () => {
    for (const kind of ["limited", "transient"] as const) {
      expect(next({ kind, retryAfterMs: 2_000 })).toEqual({ do: "repeat", afterMs: 2_000 });
      expect(next({ kind, retryAfterMs: 2_501 })).toEqual({ do: "move", to: 1 });
    }
    expect(next({ kind: "limited" })).toEqual({ do: "repeat", afterMs: 250 });
  });

  it("a silent provider is not asked twice", () => {
    expect(next({ kind: "silent" })).toEqual({ do: "move", to: 1 });
  });

  it("a provider that refuses the key is left with all its models", () => {
    expect(next({ kind: "key-refused" })).toEqual({ do: "move", to: 2 });
    expect(next({ kind: "key-refused" }, { candidates: [candidate(a), candidate(a)] })).toEqual({ do: "answer" });
  });

  it("a prompt that is too long goes only where there is more room, or nobody knows", () => {
    expect(next({ kind: "too-long" })).toEqual({ do: "move", to: 2 });
    expect(next({ kind: "too-long" }, { at: 2 })).toEqual({ do: "move", to: 3 });
    expect(next({ kind: "too-long" }, { candidates: route.slice(0, 2) })).toEqual({ do: "answer" });
  });

  it("a missing model or endpoint is looked for at the next", () => {
    expect(next({ kind: "absent" })).toEqual({ do: "move", to: 1 });
    expect(next({ kind: "unsupported" })).toEqual({ do: "move", to: 1 });
  });

  it("what the client did wrong is not tried again", () => {
    expect(next({ kind: "client-fault" })).toEqual({ do: "answer" });
  });

  it("nothing is tried beyond the budget, or beyond the last candidate", () => {
    expect(next({ kind: "transient" }, { attempts: 4 })).toEqual({ do: "answer" });
    expect(next({ kind: "silent" }, { at: 3 })).toEqual({ do: "answer" });
  });
});

describe("the pause before a repetition", () => {
  it("is random between a least and a most that grows to a second", () => {
    expect([1, 2, 3, 9].map((n) => backOffMs(n, () => 0))).toEqual([100, 100, 100, 100]);
    expect([1, 2, 3, 9].map((n) => Math.round(backOffMs(n, () => 0.999999)))).toEqual([400, 800, 1_000, 1_000]);
  });
});
