const block = /-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----\s*/y;
const lineLength = 64;

/** Of chains; Intel's have some 4 kB. */
export const maxPemLength = 32 * 1024;

/** DER of each certificate; undefined when anything else stands between them, or base64 that is not the only one for its bytes. */
export function fromPem(pem: string): Uint8Array<ArrayBuffer>[] | undefined {
  if (pem.length > maxPemLength) return undefined;
  const ders: Uint8Array<ArrayBuffer>[] = [];
  block.lastIndex = 0;
  for (let at = 0; at < pem.length; at = block.lastIndex) {
    const text = block.exec(pem)?.[1]?.replace(/\s/g, "");
    const der = text && fromBase64(text);
    if (!der) return undefined;
    ders.push(der);
  }
  return ders;
}

/** RFC 7468 §2, lines of 64 characters, as quotes carry it. */
export function toPem(ders: readonly Uint8Array[]): string {
  return ders
    .map((der) => {
      const lines = toBase64(der).match(new RegExp(`.{1,${lineLength}}`, "g")) ?? [];
      return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----\n"].join("\n");
    })
    .join("");
}

/** Undefined for text that {@link toBase64} would not have written. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return toBase64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
