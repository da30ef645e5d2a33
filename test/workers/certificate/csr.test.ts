import { SubjectAlternativeNameExtension } from "@peculiar/x509";
import { describe, expect, test } from "vitest";
import { keysFor, makeCsr, p256, withBytes, type CsrParts } from "../support/csr.ts";
import { readCsr } from "../../../workers/certificate/csr.ts";

const owned = ["demo.postern.localhost", "more.postern.localhost"];
const names = [owned[0] ?? ""];
const rsa = (modulusLength: number, hash = "SHA-256", exponent = [1, 0, 1]) => ({
  name: "RSASSA-PKCS1-v1_5",
  modulusLength,
  publicExponent: Uint8Array.from(exponent),
  hash,
});

describe("a CSR is accepted", () => {
  test.for<[string, CsrParts]>([
    ["with a P-256 key", { names }],
    ["with a P-384 key", { names, algorithm: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" } }],
    ["with an RSA key of 2048 bits", { names, algorithm: rsa(2048) }],
    ["with several names", { names: owned }],
    ["with a name repeated as its common name", { names, subject: `CN=${names[0]}` }],
  ])("%s", async ([, parts]) => {
    const { hostnames, der } = await readCsr(await makeCsr(parts), owned);
    expect(hostnames).toEqual(parts.names);
    expect(der[0]).toBe(0x30);
  });

  test("whatever line ends and blanks surround it", async () => {
    const pem = await makeCsr({ names });
    expect((await readCsr(`\r\n ${pem.replaceAll("\n", "\r\n")}\n\n`, owned)).hostnames).toEqual(names);
  });
});

describe("a CSR is refused", () => {
  test.for<[string, RegExp, CsrParts]>([
    ["for another's name", /"other\.postern\.localhost" is not a name/, { names: ["other.postern.localhost"] }],
    ["for one's own name and another's", /not a name/, { names: [...names, "other.postern.localhost"] }],
    ["for a name outside the zone", /not a name/, { names: ["example.com"] }],
    ["for the zone itself", /not a name/, { names: ["postern.localhost"] }],
    ["for a wildcard", /not a name/, { names: ["*.postern.localhost"] }],
    ["for a name below one's own", /not a name/, { names: [`a.${names[0]}`] }],
    ["for a name in other letters", /not a name/, { names: ["Demo.postern.localhost"] }],
    ["for a name with a final dot", /not a name/, { names: [`${names[0]}.`] }],
    ["for a name with a NUL in it", /not a name/, { names: [`${names[0]}\0.example.com`] }],
    ["without names", /at least one/, {}],
    ["with the name in the subject only", /at least one/, { subject: `CN=${names[0]}` }],
    ["with a name twice", /twice/, { names: [...names, ...names] }],
    ["with an IP address", /DNS names only/, { names: [{ type: "ip", value: "127.0.0.1" }] }],
    ["with a mail address", /DNS names only/, { names: [{ type: "email", value: "a@b.example" }] }],
    ["with a URL", /DNS names only/, { names: [{ type: "url", value: "https://b.example" }] }],
    ["with an organization", /subject/, { names, subject: "O=Example Bank" }],
    ["with more than the common name", /subject/, { names, subject: `CN=${names[0]}, O=Example Bank` }],
    ["with another common name", /subject/, { names, subject: "CN=example.com" }],
    [
      "with a P-521 key",
      /key has to be/,
      { names, algorithm: { name: "ECDSA", namedCurve: "P-521", hash: "SHA-512" } },
    ],
    ["with an Ed25519 key", /key has to be/, { names, algorithm: { name: "Ed25519" } }],
    ["with an RSA key of 1024 bits", /2048 to 4096/, { names, algorithm: rsa(1024) }],
    ["signed with SHA-1", /SHA-256/, { names, algorithm: rsa(2048, "SHA-1") }],
    [
      "with two lists of names",
      /several/,
      {
        extensions: [0, 1].map(() => new SubjectAlternativeNameExtension([{ type: "dns", value: names[0] ?? "" }])),
      },
    ],
  ])("%s", async ([, reason, parts]) => {
    const read = readCsr(await makeCsr(parts), owned);
    await expect(read).rejects.toMatchObject({ code: "csr-rejected", detail: expect.stringMatching(reason) });
  });

  test.for<[string, (pem: string) => string]>([
    ["that is not PEM", () => "hello"],
    ["that is empty", () => "-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----"],
    ["that is not base64", (pem) => pem.replace("M", "=")],
    ["that is a certificate by its label", (pem) => pem.replaceAll("CERTIFICATE REQUEST", "CERTIFICATE")],
    ["that comes twice", (pem) => `${pem}\n${pem}`],
    ["with text around it", (pem) => `Hello\n${pem}`],
    ["whose signature has a bit flipped", (pem) => withBytes(pem, flipped(-1))],
    ["whose key has a bit flipped", (pem) => withBytes(pem, flipped(60))],
    ["that is cut short", (pem) => withBytes(pem, (der) => der.slice(0, -1))],
    ["with bytes after it", (pem) => withBytes(pem, (der) => Uint8Array.of(...der, 0, 0))],
    ["that is something else in DER", (pem) => withBytes(pem, () => Uint8Array.of(0x30, 3, 2, 1, 1))],
    ["that is random bytes", (pem) => withBytes(pem, (der) => crypto.getRandomValues(new Uint8Array(der.length)))],
    ["that is nested two thousand deep", (pem) => withBytes(pem, () => nested(2_000))],
    ["that is longer than any request", (pem) => withBytes(pem, () => new Uint8Array(9_000))],
  ])("%s", async ([, spoil]) => {
    const pem = spoil(await makeCsr({ names }));
    await expect(readCsr(pem, owned)).rejects.toMatchObject({ code: "csr-rejected" });
  });

  test("signed by another key than the one it is for", async () => {
    const [mine, theirs] = [await keysFor(p256), await keysFor(p256)];
    const keys = { publicKey: theirs.publicKey, privateKey: mine.privateKey };
    await expect(readCsr(await makeCsr({ names, keys }), owned)).rejects.toMatchObject({
      detail: expect.stringContaining("not signed by the key"),
    });
  });

  test("wherever a byte of the signed part is wrong, without another error", async () => {
    const pem = await makeCsr({ names });
    const { der } = await readCsr(pem, owned);
    const signedEnd = 3 + 3 + (der[5] ?? 0); // two sequence headers with one length byte after 0x81
    expect([der[1], der[4]]).toEqual([0x81, 0x81]);
    const accepted: number[] = [];
    for (let at = 0; at < der.length; at++)
      await readCsr(withBytes(pem, flipped(at)), owned).then(
        () => accepted.push(at),
        (error: unknown) => expect(error, `byte ${at}`).toMatchObject({ code: "csr-rejected" }),
      );
    expect(accepted.filter((at) => at < signedEnd)).toEqual([]);
  });
});

const flipped = (at: number) => (der: Uint8Array) => {
  const changed = der.slice();
  const index = at < 0 ? der.length + at : at;
  changed[index] = (changed[index] ?? 0) ^ 1;
  return changed;
};

/** Sequences within sequences. */
function nested(depth: number): Uint8Array {
  const bytes = new Uint8Array(4 * depth);
  for (let at = 0; at < depth; at++) {
    const rest = bytes.length - 4 * at - 4;
    bytes.set([0x30, 0x82, rest >> 8, rest & 0xff], 4 * at);
  }
  return bytes;
}
