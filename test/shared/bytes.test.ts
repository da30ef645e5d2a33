import { expect, it } from "vitest";
import { joinBytes, readBytes } from "../../shared/bytes.ts";

it("bytes in parts are joined in their order", () => {
  expect(joinBytes([])).toEqual(new Uint8Array(0));
  expect(joinBytes([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)])).toEqual(Uint8Array.of(1, 2, 3));
});

it("an answer is read up to its limit, and one without a body is empty", async () => {
  expect(await readBytes(new Response("abc"), 3)).toEqual(new TextEncoder().encode("abc"));
  expect(await readBytes(new Response(null), 0)).toEqual(new Uint8Array(0));
});

it("an answer that never ends is left at its limit", async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(1_000)),
    cancel: () => {
      cancelled = true;
    },
  });
  expect(await readBytes(new Response(endless), 10_000)).toBeUndefined();
  expect(cancelled).toBe(true);
});
