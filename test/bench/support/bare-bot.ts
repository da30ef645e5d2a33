/**
 * The least that can be called a bot: it answers the webhook, asks the model and sends what that says, one call at a time.
 * Nothing is stored, nothing is checked. Behind the same stand-in for Signal, so that its time shows what the rest costs.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Pool, request } from "undici";
import { Phones } from "../../support/phones.ts";
import { root, stopProcess } from "../../support/postern.ts";
import type { Upstream } from "../../support/upstream/upstream.ts";

interface Line {
  readonly params: {
    readonly account: string;
    readonly envelope: {
      readonly sourceUuid: string;
      readonly timestamp: number;
      readonly dataMessage?: { readonly message?: string | null };
    };
  };
}

export interface BareBot extends AsyncDisposable {
  readonly phones: Phones;
}

export async function startBareBot(upstream: Upstream): Promise<BareBot> {
  const model = new Pool(upstream.origin, { connections: 100 });
  let lane = Promise.resolve();
  let url = "";
  const answer = async ({ params: { account, envelope } }: Line): Promise<void> => {
    const { sourceUuid: author, timestamp, dataMessage } = envelope;
    const question = dataMessage?.message;
    if (!question) return;
    const asked = JSON.stringify({ model: "echo", messages: [{ role: "user", content: question }] });
    const headers = { "content-type": "application/json" };
    const said = await model.request({ method: "POST", path: "/v1/chat/completions", headers, body: asked });
    const { choices } = (await said.body.json()) as { choices: { message: { content: string } }[] };
    const body = JSON.stringify({
      number: account,
      recipients: [author],
      message: choices[0]?.message.content,
      quote_timestamp: timestamp,
      quote_author: author,
      quote_message: question,
    });
    const send = async (): Promise<void> => {
      const sent = await request(`${url}/v2/send`, { method: "POST", headers, body });
      await sent.body.dump();
    };
    await (lane = lane.then(send));
  };
  const take = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const line = await text(incoming);
    response.end();
    await answer(JSON.parse(line) as Line);
  };
  const hook = createServer((incoming: IncomingMessage, response) => {
    void take(incoming, response);
  });
  hook.listen(0, "127.0.0.1");
  await once(hook, "listening");
  const address = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
  const main = join(root, "tee-bot/cli/main.ts");
  const child = fork(main, ["signal", "simulate", "--hook", address], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  [{ url }] = (await once(child, "message")) as [{ url: string }];
  return {
    phones: new Phones(url),
    async [Symbol.asyncDispose]() {
      await stopProcess(child, "SIGKILL");
      hook.closeAllConnections();
      hook.close();
      await model.destroy();
    },
  };
}
