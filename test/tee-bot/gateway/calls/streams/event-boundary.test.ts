import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { StreamForm } from "../../../../../tee-bot/gateway/api/endpoints.ts";
import { EventBoundary } from "../../../../../tee-bot/gateway/calls/streams/event-boundary.ts";

/** What is passed on after each piece, of a stream that comes in these pieces. */
function passed(form: StreamForm, pieces: readonly string[]): string {
  const boundary = new EventBoundary(form);
  let seen = "";
  let out = "";
  for (const piece of pieces) {
    const end = boundary.next(Buffer.from(piece, "latin1"));
    if (end > 0) out = seen + piece.slice(0, end);
    seen += piece;
  }
  return out;
}

describe("the boundary of events", () => {
  it.each(["\n", "\r\n"])("is the last empty line, however the stream is split (line end %j)", (newline) => {
    const whole = ["data: a", "", ": b", "", "event: c", "data: d", "", "data: half", "dat"].join(newline);
    const expected = ["data: a", "", ": b", "", "event: c", "data: d", "", ""].join(newline);
    for (let i = 0; i <= whole.length; i++)
      for (let j = i; j <= whole.length; j++)
        expect(passed("chat", [whole.slice(0, i), whole.slice(i, j), whole.slice(j)])).toBe(expected);
    expect(passed("chat", whole.split(""))).toBe(expected);
  });

  it("is found in any stream as in one piece", () => {
    const text = fc.array(fc.constantFrom("\n", "\r\n", "a", "\n\n", "\r\n\r\n"), { maxLength: 20 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(5), { maxLength: 20 }), (parts, sizes) => {
        const whole = parts.join("");
        const pieces: string[] = [];
        let at = 0;
        for (const size of sizes) pieces.push(whole.slice(at, (at += size)));
        pieces.push(whole.slice(at));
        expect(passed("chat", pieces)).toBe(passed("chat", [whole]));
      }),
    );
  });

  it("is every line's end in a stream of lines", () => {
    expect(passed("ollama-lines", ['{"a":1}\n{"b"', ":2}\n{"])).toBe('{"a":1}\n{"b":2}\n');
  });
});
