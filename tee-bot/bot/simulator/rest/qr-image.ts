/** A QR code as a PNG in grey (https://www.w3.org/TR/png/). */
import { crc32, deflateSync } from "node:zlib";
import encodeQr from "qr";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const pixelsPerModule = 8;
/** Modules of nothing around it, as ISO/IEC 18004 wants. */
const quietModules = 4;
const [black, white] = [0, 255];
const bitsPerPixel = 8;
const headerBytes = 13;

export function qrImage(text: string): Buffer {
  const modules = encodeQr(text, "raw", { border: quietModules });
  const size = modules.length * pixelsPerModule;
  const rows = modules.flatMap((row) => {
    const pixels = row.flatMap((dark) => Array.from({ length: pixelsPerModule }, () => (dark ? black : white)));
    const line = Buffer.from([0, ...pixels]); // filter 0: the line as it is
    return Array.from({ length: pixelsPerModule }, () => line);
  });
  const header = Buffer.alloc(headerBytes); // what is 0 in it: grey, the usual compression, no interlacing
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header[8] = bitsPerPixel;
  const data = deflateSync(Buffer.concat(rows));
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))]);
}

/** Length, type, data, and a checksum of the last two. */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
