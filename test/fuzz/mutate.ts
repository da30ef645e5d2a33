import type { Buffer } from "node:buffer";
import { inRecords, outOfRecords } from "../shared/tls/build-hello.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";

/** A hello changed in its records, in its message (whose records are then made right again), or in both. */
export function mutate(origin: Buffer, corpus: readonly Buffer[], random: Random): Buffer {
  const change = (bytes: Buffer): Buffer => mutateBytes(bytes, corpus, random);
  switch (random.below(3)) {
    case 0:
      return change(origin);
    case 1:
      return inRecords(withLengthSetRight(change(outOfRecords(origin)), random), fragmentBytes(random));
    default:
      return change(inRecords(outOfRecords(origin), fragmentBytes(random)));
  }
}

/** Most changes would end at the message's own length; half of the time it is mended so that the body is read. */
function withLengthSetRight(message: Buffer, random: Random): Buffer {
  if (message.length < 4 || random.below(2) === 0) return message;
  message[0] = 1;
  message.writeUIntBE((message.length - 4) & 0xff_ffff, 1, 3);
  return message;
}

function fragmentBytes(random: Random): number {
  return random.pick([1, 2, 3, 7, 100, 512, 1400, 16_384]);
}
