/**
 * The picture that `/v1/qrcodelink` answers with, as a PNG of squares made of the link's hash. No camera reads a link in it: a
 * telephone could not be linked with the simulator anyway. The link itself is at `/v1/qrcodelink/raw`.
 */
import { createHash } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const squares = 16;
const pixelsPerSquare = 16;
const size = squares * pixelsPerSquare;

export function linkImage(uri: string): Buffer {
  const hash = createHash("sha256").update(uri).digest();
  const isDark = (x: number, y: number): boolean => ((hash[y * 2 + (x >> 3)]! >> (x & 7)) & 1) === 1;
  const rows = Array.from({ length: size }, (_, y) => {
    const row = Array.from({ length: size }, (__, x) =>
      isDark(Math.trunc(x / pixelsPerSquare), Math.trunc(y / pixelsPerSquare)) ? 0 : 255,
    );
    return Buffer.from([0, ...row]); // filter 0: the row as it is
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 0, 0, 0, 0], 8); // 8 bits of grey
  const data = deflateSync(Buffer.concat(rows));
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

/** PNG specification, 5.3. */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
