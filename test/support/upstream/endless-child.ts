/**
 * The process of `endless-upstream.ts`: a stand-in for a provider of the model `m` whose streams are the same text again and
 * again, 64 KiB at a time. Argument: the text, in JSON. Prints its base URL; ends with its standard input.
 */
import { startUpstream } from "./upstream.ts";

const chunkBytes = 64 * 1024;
const text = JSON.parse(process.argv[2] ?? '""') as string;
const chunk = text.repeat(Math.ceil(chunkBytes / text.length));

const upstream = await startUpstream({
  models: ["m"],
  async behaviour(_request, reply) {
    reply.openStream();
    for (;;) {
      reply.chunk(chunk);
      await reply.drain();
      await reply.wait(0);
    }
  },
});
console.log(upstream.baseUrl);
process.stdin.resume().on("end", () => void upstream[Symbol.asyncDispose]());
