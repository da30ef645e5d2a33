/** Judges the entries of logs: is this certificate for a watched name, and is its key one that may be there? */
import type { Log } from "../../../shared/log.ts";
import type { KnownKeys } from "./known-keys.ts";
import type { LogEntry } from "./log/certificate-log.ts";
import type { MemoryFile, ToldCertificate } from "./memory.ts";
import { covers, createMentionFilter } from "./names.ts";
import { readSeenCertificate, type SeenCertificate } from "./seen-certificate.ts";
import type { Raise } from "./voice.ts";

export interface CertificateJudgeOptions {
  /** Those that are watched now. */
  readonly names: () => readonly string[];
  readonly known: KnownKeys;
  readonly file: MemoryFile;
  readonly raise: Raise;
  readonly log: Log;
}

/** What of a certificate's names is told; the rest is of the same kind. */
const maxToldNames = 20;

export class CertificateJudge {
  readonly #options: CertificateJudgeOptions;
  /** How many entries mentioned a name and could not be read. */
  unreadable = 0;

  constructor(options: CertificateJudgeOptions) {
    this.#options = options;
  }

  /** Judges entries of the log at `url`; whether anything was told. */
  async judge(url: string, entries: readonly LogEntry[], signal: AbortSignal): Promise<boolean> {
    const names = this.#options.names();
    const mentions = createMentionFilter(names);
    let told = false;
    for (const entry of entries) {
      if (!mentions(entry.der)) continue;
      const certificate = readSeenCertificate(entry);
      if (!certificate) {
        this.unreadable++;
        this.#options.raise("certificate.unreadable", { log: url, index: entry.index });
        told = true;
        continue;
      }
      for (const name of names)
        if (certificate.names.some((pattern) => covers(pattern, name)))
          told = (await this.#judgeFor(name, certificate, { url, entry }, signal)) || told;
    }
    return told;
  }

  /** Tells of those whose key has been attested since they were told. */
  explain(): void {
    const { file, known, raise } = this.#options;
    for (const told of file.memory.told) {
      if (told.explained || !known.has(told.name, told.spkiSha256)) continue;
      told.explained = true;
      const { name, issuer, serial, spkiSha256 } = told;
      raise("certificate.explained", { name, issuer, serial, spkiSha256 });
      file.save();
    }
  }

  async #judgeFor(
    name: string,
    certificate: SeenCertificate,
    { url, entry }: { url: string; entry: LogEntry },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { known, file, raise, log } = this.#options;
    const { spkiSha256, issuer, serial, notBefore, notAfter } = certificate;
    if (!known.has(name, spkiSha256)) await known.refresh(name, signal);
    const facts = { name, log: url, index: entry.index, kind: entry.kind, spkiSha256, issuer, serial };
    if (known.has(name, spkiSha256)) {
      log.info("certificate.expected", facts);
      return false;
    }
    // A certificate comes as its precertificate too, and to several logs.
    const { told } = file.memory;
    const isThis = (one: ToldCertificate): boolean =>
      one.name === name && one.issuer === issuer && one.serial === serial && one.spkiSha256 === spkiSha256;
    if (told.some(isThis)) return false;
    told.push({ name, issuer, serial, spkiSha256, notAfter, explained: false });
    raise("certificate.foreign", {
      ...facts,
      names: certificate.names.slice(0, maxToldNames),
      notBefore: new Date(notBefore).toISOString(),
      notAfter: new Date(notAfter).toISOString(),
      loggedAt: new Date(entry.timestamp).toISOString(),
      keysKnown: known.knowsAny(name),
    });
    return true;
  }
}
