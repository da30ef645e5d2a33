/**
 * The least that a proxy in Node can be: `node:http` on both sides and a pipe. It neither reads a call nor minds how a
 * stream ends. Arguments: its port, and the upstream's.
 */
import { Agent, createServer, request } from "node:http";

const [port, upstreamPort] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

createServer((incoming, outgoing) => {
  const { method, url: path, headers } = incoming;
  const asked = request({ agent, host: "127.0.0.1", port: upstreamPort, method, path, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  asked.on("error", () => outgoing.destroy());
  incoming.pipe(asked);
}).listen(port, "127.0.0.1");
