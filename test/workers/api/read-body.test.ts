import { expect, test } from "vitest";
import { maxRequestBytes } from "../../../shared/registry/messages.ts";
import { readBody } from "../../../workers/api/read-body.ts";

const post = (body: BodyInit | null): Request => new Request("https://edge.test/", { method: "POST", body });

/** Sends the parts, then nothing more, and never ends. */
function hanging(...parts: number[]): { stream: ReadableStream<Uint8Array>; cancelled: () => boolean } {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => parts.forEach((length) => controller.enqueue(new Uint8Array(length))),
    cancel: () => void (cancelled = true),
  });
  return { stream, cancelled: () => cancelled };
}

test("a body is read to its end, up to the limit", async () => {
  expect(await readBody(post("hello"))).toEqual(new TextEncoder().encode("hello"));
  expect(await readBody(post(null))).toEqual(new Uint8Array(0));
  expect(await readBody(post(new Uint8Array(maxRequestBytes)))).toHaveLength(maxRequestBytes);
});

test("a body that is too long is refused before it ends, and not read on", async () => {
  const { stream, cancelled } = hanging(maxRequestBytes, 1);
  await expect(readBody(post(stream))).rejects.toMatchObject({ code: "too-large" });
  expect(cancelled()).toBe(true);
});

test("a body that does not come is not waited for", async () => {
  const { stream, cancelled } = hanging(5);
  await expect(readBody(post(stream), 50)).rejects.toMatchObject({ code: "bad-request" });
  expect(cancelled()).toBe(true);
});

test("a body from the network that does not come is not waited for", async () => {
  const { readable, writable } = new IdentityTransformStream(); // the runtime's own kind of stream fails otherwise
  const sent = writable.getWriter().write(new Uint8Array(5));
  await expect(readBody(post(readable), 50)).rejects.toMatchObject({ code: "bad-request" });
  await sent;
});
