/**
 * Whether the quote speaks of this connection. Its report data is one hash over nonce, keyset, key and exporter, so they
 * stand or fall together; which of them is wrong can be told only where the evidence itself names what was hashed.
 */
import { failed, pass, skip, type Check, type CheckId } from "../../../../shared/attestation/check.ts";
import type { Evidence } from "../../../../shared/attestation/evidence.ts";
import { connectionReportData, type ConnectionStatement } from "../../../../shared/attestation/report-data.ts";
import { toHex } from "../../../../shared/hex.ts";

export interface Binding {
  /** What we know by ourselves: our nonce, our connection, and the digest of the keyset as it was shown. */
  readonly own: ConnectionStatement;
  readonly shown: Evidence;
  /** Report data of the quote, hex; undefined: it could not be read. */
  readonly quoted: string | undefined;
  /** Whoever recorded the connection; undefined: we saw it ourselves. */
  readonly recorder: string | undefined;
  /** Seconds since 1970. */
  readonly at: number;
}

/** The checks `nonce`, `keyset`, `connection-key` and `connection-exporter`. */
export async function judgeBinding(binding: Binding): Promise<Check[]> {
  const { own, shown, quoted } = binding;
  const bound = quoted !== undefined && quoted === toHex(await connectionReportData(own));
  const claimed: ConnectionStatement = {
    nonce: bytesOf(shown.nonce),
    keysetDigest: bytesOf(shown.keyset_digest),
    spkiSha256: bytesOf(shown.connection.spki_sha256),
    exporter: bytesOf(shown.connection.exporter),
  };
  // Then the evidence tells truly what was hashed, though it was not all of this connection.
  const claimBound = quoted !== undefined && quoted === toHex(await connectionReportData(claimed));

  return parts.map(({ id, member, differs, holds }) => {
    const [ours, theirs] = [toHex(own[member]), toHex(claimed[member])];
    if (ours !== theirs) return failed(id, differs(ours, theirs));
    if (bound || claimBound) return holds(binding);
    if (quoted === undefined) return skip(id, "The quote cannot be read, so nothing is known of what it binds.");
    if (id === "connection-exporter")
      return failed(id, "The quote was made for something else: its report data is not that of this connection.");
    return skip(id, "The quote was made for something else, so it says nothing of this.");
  });
}

interface Part {
  readonly id: CheckId;
  readonly member: keyof ConnectionStatement;
  readonly differs: (ours: string, theirs: string) => string;
  readonly holds: (binding: Binding) => Check;
}

const parts: readonly Part[] = [
  {
    id: "nonce",
    member: "nonce",
    differs: (ours, theirs) =>
      `The evidence answers nonce ${brief(theirs)}, ours was ${brief(ours)}: it is an old one.`,
    holds: ({ own, recorder }) =>
      recorder === undefined
        ? pass("nonce", `The quote binds the nonce ${brief(toHex(own.nonce))} that was drawn for this question.`)
        : skip("nonce", `The quote binds the recorded nonce; that it was a fresh one is the word of ${recorder}.`),
  },
  {
    id: "keyset",
    member: "keysetDigest",
    differs: (ours, theirs) => `The keyset has the digest ${brief(ours)}, the evidence names ${brief(theirs)}.`,
    holds: ({ own, shown, at }) =>
      shown.keyset.not_after < at
        ? failed("keyset", `The keyset was good until ${timeOf(shown.keyset.not_after)}, which is over.`)
        : pass(
            "keyset",
            `The quote binds the keyset ${brief(toHex(own.keysetDigest))}, good until ${timeOf(shown.keyset.not_after)}.`,
          ),
  },
  {
    id: "connection-key",
    member: "spkiSha256",
    differs: (ours, theirs) =>
      `This connection's certificate has the key ${brief(ours)}, the evidence speaks of ${brief(theirs)}: somebody is in between.`,
    holds: ({ own, shown, recorder }) => {
      const key = toHex(own.spkiSha256);
      const which = recorder === undefined ? "This connection's certificate" : "The recorded certificate";
      return shown.keyset.tls_public_keys.some(({ spki_sha256 }) => spki_sha256 === key)
        ? pass("connection-key", `${which} has the key ${brief(key)}, which the keyset names.`)
        : failed("connection-key", `${which} has the key ${brief(key)}, which is not in the keyset.`);
    },
  },
  {
    id: "connection-exporter",
    member: "exporter",
    differs: () =>
      "The evidence was made for another TLS connection than this one: somebody ends TLS in between, even if with the same key.",
    holds: ({ recorder }) =>
      recorder === undefined
        ? pass(
            "connection-exporter",
            "The quote binds the secret of this very TLS connection, so nobody ends it before the TEE.",
          )
        : skip(
            "connection-exporter",
            `The quote binds the recorded value; that it was the value of their own connection is the word of ${recorder}.`,
          ),
  },
];

/** Enough to compare by eye. */
export const brief = (hex: string): string => `${hex.slice(0, 16)}…`;
export const timeOf = (seconds: number): string =>
  Math.abs(seconds) > maxDateSeconds
    ? "the end of time"
    : `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
/** ECMA-262 §21.4.1.1, and years of four digits. */
const maxDateSeconds = 253_402_300_799;
const bytesOf = (hex: string): Uint8Array => Buffer.from(hex, "hex");
