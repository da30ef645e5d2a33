/** A QR code in a terminal: two rows of modules in a line, by half blocks. */
import encodeQr from "qr";

/** Modules of nothing around it, as ISO/IEC 18004 wants. */
const quietModules = 4;

/** `color`: black on white by the terminal's own means; else dark modules are ink, as on paper. */
export function drawQrCode(text: string, color: boolean): string {
  const rows = encodeQr(text, "raw", { ecc: "low", border: quietModules });
  const lines = Array.from({ length: Math.ceil(rows.length / 2) }, (_, index) =>
    (rows[2 * index] ?? []).map((upper, column) => blockOf(upper, rows[2 * index + 1]?.[column] ?? false)).join(""),
  );
  return lines.map((line) => (color ? `\u001b[30;107m${line}\u001b[0m\n` : `${line}\n`)).join("");
}

function blockOf(upper: boolean, lower: boolean): string {
  if (upper) return lower ? "█" : "▀";
  return lower ? "▄" : " ";
}
