/** signal-cli takes a message: it downloads what is attached, tells the sender of the delivery, and writes a line. */
import type { EmittedLine } from "../container/container.ts";
import type { Mail } from "./mailbox.ts";
import type { World } from "./world.ts";

export function emitMail(world: World, mail: Mail): EmittedLine {
  for (const { id } of mail.attachments) world.contents.download(id);
  if (mail.conversation !== undefined)
    world.phones.change(mail.conversation, mail.timestamp, (message) => ({ message: { ...message, delivered: true } }));
  return "line" in mail.content ? givenLine(mail.content.line) : envelopeLine(world, mail.content.envelope);
}

function envelopeLine({ account, clock }: World, envelope: object): EmittedLine {
  const params = { envelope: { ...envelope, serverDeliveredTimestamp: clock.now() }, account: account.number };
  const text = JSON.stringify({ jsonrpc: "2.0", method: "receive", params });
  return { text, params: JSON.stringify(params), account: account.number };
}

/** Only the account beside the envelope is looked at, so that readers get no lines of a subscription. */
function givenLine(text: string): EmittedLine {
  const { params } = JSON.parse(text) as { params?: { account?: unknown } };
  const account = typeof params?.account === "string" ? params.account : "";
  return { text, params: JSON.stringify(params ?? {}), account };
}
