import { expect, test, vi } from "vitest";
import { SharedCounts } from "../../../relay/threads/counts.ts";

test("what each thread has adds up, and what a thread had that has ended does not count", async () => {
  const memory = SharedCounts.memory(3);
  const head = new SharedCounts(memory);
  expect(head.total).toEqual({ visitors: 0, tunnels: 0, lastVisitorAt: undefined });
  const first = { visitors: 3, tunnels: 1, lastVisitorAt: 1_000 };
  new SharedCounts(memory).write(0, () => first);
  new SharedCounts(memory).write(2, () => ({ visitors: 4, tunnels: 0, lastVisitorAt: 2_000 }));
  await vi.waitFor(() => expect(head.total).toEqual({ visitors: 7, tunnels: 1, lastVisitorAt: 2_000 }));
  first.visitors = 0;
  await vi.waitFor(() => expect(head.total.visitors).toBe(4));
  new SharedCounts(memory).forget(1);
  expect(head.total.visitors).toBe(4);
});
