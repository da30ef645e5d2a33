import { describe, expect, it } from "vitest";
import { LineWriter } from "../../../shared/nodejs/line-writer.ts";

describe("LineWriter", () => {
  it("writes lines that come together as one text, within a moment", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const lines = new LineWriter(resolve);
    lines.write("one");
    lines.write("two");
    expect(await promise).toBe("one\ntwo\n");
  });

  it("writes at once what is held when it is told to, and nothing twice", () => {
    const written: string[] = [];
    const lines = new LineWriter((text) => written.push(text));
    lines.write("last words");
    lines.flush();
    lines.flush();
    expect(written).toEqual(["last words\n"]);
  });

  it("holds no more than 64 KiB", () => {
    const written: string[] = [];
    const lines = new LineWriter((text) => written.push(text));
    for (let count = 0; count < 70; count++) lines.write("x".repeat(1024));
    expect(written.length).toBe(1);
    lines.flush();
  });
});
