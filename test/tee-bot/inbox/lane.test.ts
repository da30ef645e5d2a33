import { afterEach, beforeEach, expect, it } from "vitest";
import { startEdgeInbox, type EdgeInbox } from "./edge-inbox.ts";
import { systemClock } from "../../../shared/clock.ts";
import { toHex } from "../../../shared/hex.ts";
import { deliveriesSchema, maxWebhookBytes } from "../../../shared/inbox/messages.ts";
import { inboxKeyOfPem, readOrCreateInboxKey } from "../../../tee-bot/inbox/inbox-key.ts";
import { runLane } from "../../../tee-bot/inbox/lane.ts";
import { Outcomes } from "../../../tee-bot/inbox/outcomes.ts";
import { temporaryFolder } from "../../shared/temporary-folder.ts";
import { recordingLog } from "../support/log.ts";

let stack: AsyncDisposableStack;
let edge: EdgeInbox;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  edge = stack.use(await startEdgeInbox());
});
afterEach(() => stack.disposeAsync());

it("a handler that does not end has failed, and is told to stop", async () => {
  const log = recordingLog();
  const key = inboxKeyOfPem(readOrCreateInboxKey(`${stack.use(temporaryFolder()).path}/inbox.key`));
  const hooks = [{ name: "a", maxBytes: maxWebhookBytes }];
  edge.declarations.push({ epoch: 1, key: toHex(key.publicKey), secret: key.secret, hooks });
  for (const text of ["a1", "a2"]) await edge.put("a", text);
  const { deliveries } = await edge.client.request("GET", `/v1/nodes/${edge.node}/inbox?wait=0`, deliveriesSchema);
  const common = { node: edge.node, edge: edge.client, clock: systemClock, log, random: Math.random };
  let limit: AbortSignal | undefined;
  const options = {
    ...common,
    key,
    epoch: 1,
    handler: {
      onHook: (_hook: string, _delivery: unknown, signal: AbortSignal) => {
        limit = signal;
        return new Promise<void>(() => {});
      },
    },
    outcomes: new Outcomes(common),
    deadlineMs: 50,
  };
  await runLane(deliveries, options, new AbortController().signal);
  expect(edge.outcomes.map(({ sequence, outcome }) => [sequence, outcome])).toEqual([[1, "failed"]]);
  expect(limit?.aborted).toBe(true);
  expect(log.events.find(({ event }) => event === "webhook.failed")?.fields["error"]).toContain("took more than");
});
