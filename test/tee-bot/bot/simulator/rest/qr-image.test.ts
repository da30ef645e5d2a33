import { inflateSync } from "node:zlib";
import decodeQr from "qr/decode.js";
import { describe, expect, it } from "vitest";
import { qrImage } from "../../../../../tee-bot/bot/simulator/rest/qr-image.ts";

describe("a QR code as a PNG", () => {
  it("is read as what was put in", () => {
    const text = `sgnl://linkdevice?uuid=${"u".repeat(22)}&pub_key=${"k".repeat(60)}`;
    const image = qrImage(text);
    expect(image.subarray(0, 8).toString("hex")).toBe("89504e470d0a1a0a");
    const [width, height] = [image.readUInt32BE(16), image.readUInt32BE(20)];
    const rows = inflateSync(image.subarray(41, 41 + image.readUInt32BE(33)));
    const data = new Uint8Array(width * height * 4);
    for (let pixel = 0; pixel < width * height; pixel++) {
      const [y, x] = [Math.trunc(pixel / width), pixel % width];
      data.fill(rows[y * (width + 1) + 1 + x]!, pixel * 4, pixel * 4 + 3);
    }
    expect(decodeQr({ width, height, data })).toBe(text);
  });
});
