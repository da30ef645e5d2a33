import { describe, expect, it } from "vitest";
import { AnswerId } from "../../../../tee-bot/attestation/near/answer-id.ts";

function idOf(...pieces: string[]): string | undefined {
  const id = new AnswerId();
  for (const piece of pieces) id.add(Buffer.from(piece));
  return id.find();
}

describe("the id of an answer", () => {
  it("is that of its JSON, wherever it stands in it", () => {
    expect(idOf('{"id":"chatcmpl-1","choices":[]}')).toBe("chatcmpl-1");
    expect(idOf('{"choices":[{"message":{"tool_calls":[{"id":"call_1"}]}}],"id":"chatcmpl-2"}')).toBe("chatcmpl-2");
  });

  it("is that of a stream's first event, however its bytes are cut", () => {
    const stream = ': hello\n\ndata: {"id":"chatcmpl-3","choices":[]}\n\ndata: {"id":"other"}\n\ndata: [DONE]\n\n';
    for (let at = 0; at <= stream.length; at++) expect(idOf(stream.slice(0, at), stream.slice(at))).toBe("chatcmpl-3");
  });

  it("is the first member of JSON that is longer than what is kept, never that of a part of it", () => {
    const long = "x".repeat(100_000);
    expect(idOf(`{"id":"chatcmpl-4","text":"${long}"}`)).toBe("chatcmpl-4");
    expect(idOf(`{"choices":[{"id":"call_1"}],"text":"${long}"}`)).toBeUndefined();
  });

  it("is none when it could not stand in a URL, or there is none", () => {
    for (const text of ["", "not JSON", "[]", "null", '{"id":7}', '{"id":"../../x"}', '{"id":"a b"}', '{"id":""}'])
      expect(idOf(text)).toBeUndefined();
    expect(idOf(`{"id":"${"x".repeat(201)}"}`)).toBeUndefined();
  });
});
