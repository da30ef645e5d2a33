/** Hellos of clients that cannot be run here, built after their published form; each says so in its origin. */
import { Buffer } from "node:buffer";
import {
  alpn,
  buildHello,
  filler,
  hostName,
  inRecords,
  serverNames,
  uint16,
  vector16,
  vector8,
} from "../shared/tls/build-hello.ts";

interface Synthetic {
  file: string;
  origin: string;
  bytes: Buffer;
  serverName: string | null;
  alpn: string[];
}

const mlkem = 0x11ec; // X25519MLKEM768
const grease = 0x2a2a; // RFC 8701
const x25519 = 0x001d;

const keyShare = (...shares: [group: number, bytes: number][]) => ({
  type: 51,
  data: vector16(
    Buffer.concat(shares.map(([group, bytes]) => Buffer.concat([uint16(group), vector16(Buffer.alloc(bytes, group))]))),
  ),
});
const groups = (...ids: number[]) => ({ type: 10, data: vector16(Buffer.concat(ids.map(uint16))) });
const versions = (...ids: number[]) => ({ type: 43, data: vector8(Buffer.concat(ids.map(uint16))) });
const signatures = { type: 13, data: vector16(Buffer.from("0804040308070805080604010501060105030603", "hex")) };

export const synthetic: readonly Synthetic[] = [
  {
    file: "synthetic-go.bin",
    origin: "Go crypto/tls 1.24 form: SNI first, X25519MLKEM768 and X25519 shares",
    serverName: "go.postern.localhost",
    alpn: ["h2", "http/1.1"],
    bytes: inRecords(
      buildHello({
        cipherSuites: [
          0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x1301, 0x1302, 0x1303,
        ],
        extensions: [
          serverNames(hostName("go.postern.localhost")),
          { type: 11, data: vector8(Buffer.of(0)) },
          { type: 0xff01, data: Buffer.of(0) },
          filler(23, 0),
          filler(18, 0),
          { type: 5, data: Buffer.of(1, 0, 0, 0, 0) },
          groups(mlkem, x25519, 0x17, 0x18, 0x19),
          signatures,
          alpn("h2", "http/1.1"),
          versions(0x0304, 0x0303),
          keyShare([mlkem, 1216], [x25519, 32]),
        ],
      }),
    ),
  },
  {
    file: "synthetic-ech-grease-sni-last.bin",
    origin: "Chromium form: GREASE, X25519MLKEM768, encrypted ClientHello with outer name, SNI last",
    serverName: "outer.postern.localhost",
    alpn: ["h2", "http/1.1"],
    bytes: inRecords(
      buildHello({
        cipherSuites: [grease, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f],
        extensions: [
          filler(grease, 0),
          groups(grease, mlkem, x25519, 0x17),
          keyShare([grease, 1], [mlkem, 1216], [x25519, 32]),
          versions(grease, 0x0304, 0x0303),
          signatures,
          alpn("h2", "http/1.1"),
          {
            // draft-ietf-tls-esni §5: outer, HKDF-SHA256 with AES-128-GCM, config id, encapsulated key, payload
            type: 0xfe0d,
            data: Buffer.concat([
              Buffer.of(0, 0, 1, 0, 1, 0x42),
              vector16(Buffer.alloc(32, 0x11)),
              vector16(Buffer.alloc(240, 0x22)),
            ]),
          },
          filler(0x3a3a, 1),
          serverNames(hostName("outer.postern.localhost")),
        ],
      }),
    ),
  },
  {
    file: "synthetic-envoy-5k.bin",
    origin: "Envoy form: 5.4 KB, of which a resumption ticket (pre_shared_key, last) is the most; SNI first",
    serverName: "envoy.postern.localhost",
    alpn: ["istio", "h2"],
    bytes: inRecords(
      buildHello({
        extensions: [
          serverNames(hostName("envoy.postern.localhost")),
          groups(x25519),
          signatures,
          alpn("istio", "h2"),
          versions(0x0304, 0x0303),
          keyShare([x25519, 32]),
          {
            // RFC 8446 §4.2.11: one identity and one binder
            type: 41,
            data: Buffer.concat([
              vector16(Buffer.concat([vector16(Buffer.alloc(5100, 0x77)), Buffer.alloc(4, 1)])),
              vector16(vector8(Buffer.alloc(32, 0x88))),
            ]),
          },
        ],
      }),
    ),
  },
  {
    file: "synthetic-one-byte-records.bin",
    origin: "a hello in TLS records of one byte each",
    serverName: "slivers.postern.localhost",
    alpn: ["http/1.1"],
    bytes: inRecords(
      buildHello({
        extensions: [serverNames(hostName("slivers.postern.localhost")), alpn("http/1.1"), versions(0x0304)],
      }),
      1,
    ),
  },
  {
    file: "synthetic-no-extensions.bin",
    origin: "TLS 1.0 form: no extensions at all",
    serverName: null,
    alpn: [],
    bytes: inRecords(buildHello({ version: 0x0301, sessionId: Buffer.alloc(0), cipherSuites: [0x002f, 0x0035] })),
  },
];
