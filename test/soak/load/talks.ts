/** Visitors that stay: event streams, WebSockets, requests over one connection. */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { Corruption } from "../exchange.ts";
import { bytesOf } from "../pattern.ts";
import { agentOf, type Visitor } from "./visitor.ts";

const events = { max: 60, everyMs: 150 };
const echoes = { max: 30, maxBytes: 32 * 1024, pauseMs: 250 };
const requests = { max: 40, pauseMs: 200 };

/** Every event must come, once and in order, and then the end. */
export async function listen(visitor: Visitor): Promise<number> {
  const count = 1 + visitor.random.below(events.max);
  const text = await visitor.text(`/events?count=${count}&everyMs=${events.everyMs}`);
  const expected = Array.from({ length: count }, (_, at) => `id: ${at}\ndata: event ${at}\n\n`).join("");
  if (text !== `${expected}event: last\ndata: that is all\n\n`)
    throw new Corruption(`${count} events were sent, and this came: …${JSON.stringify(text.slice(-80))}`);
  return text.length;
}

export async function echo(visitor: Visitor): Promise<number> {
  const socket = await openWebSocket(visitor);
  const count = 1 + visitor.random.below(echoes.max);
  const seed = visitor.random.below(2 ** 31);
  let bytes = 0;
  for (let at = 0; at < count; at++) {
    const message = bytesOf(seed, bytes, 1 + visitor.random.below(echoes.maxBytes));
    const heard = await nextMessage(socket, () => socket.send(message, { binary: true }));
    if (!heard.equals(message)) throw new Corruption(`message ${at} of ${message.length} bytes came back as another`);
    bytes += message.length;
    await sleep(visitor.random.below(echoes.pauseMs), undefined, { signal: visitor.signal });
  }
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  socket.close(1000);
  const code = await closed;
  if (code !== 1000) throw new Error(`the WebSocket closed with ${code}`);
  return bytes;
}

/** One connection, many requests; each answer must be its own. */
export async function ask(visitor: Visitor): Promise<number> {
  const agent = agentOf(await visitor.open());
  const count = 1 + visitor.random.below(requests.max);
  let bytes = 0;
  for (let at = 0; at < count; at++) {
    bytes += await askOnce(visitor, agent);
    await sleep(visitor.random.below(requests.pauseMs), undefined, { signal: visitor.signal });
  }
  agent.destroy();
  return bytes;
}

/** A connection for one request. */
export async function askOnce(visitor: Visitor, agent?: ReturnType<typeof agentOf>): Promise<number> {
  const path = `/${visitor.hostname}/${visitor.random.below(2 ** 31)}`;
  const answer = await visitor.text(path, agent && { agent });
  if (answer !== `${path} heard`)
    throw new Corruption(`${path} was answered with ${JSON.stringify(answer.slice(0, 80))}`);
  return answer.length;
}

async function openWebSocket(visitor: Visitor): Promise<WebSocket> {
  const connection = await visitor.open();
  const socket = new WebSocket(`ws://${visitor.hostname}/echo`, { createConnection: () => connection });
  socket.on("error", () => {}); // "close" follows
  await new Promise((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("close", (code) => reject(new Error(`the WebSocket did not open: ${code}`)));
    socket.once("error", reject);
  });
  return socket;
}

function nextMessage(socket: WebSocket, send: () => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const closed = (code: number): void => reject(new Error(`the WebSocket was closed with ${code}`));
    socket.once("close", closed);
    socket.once("message", (data: Buffer) => {
      socket.removeListener("close", closed);
      resolve(data);
    });
    send();
  });
}
