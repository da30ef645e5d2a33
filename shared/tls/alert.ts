/** RFC 8446 §6, RFC 6066 §3, RFC 7301 §3.2: what may be said to a client before any key is agreed. */
const descriptions = {
  unexpected_message: 10,
  record_overflow: 22,
  handshake_failure: 40,
  illegal_parameter: 47,
  access_denied: 49,
  decode_error: 50,
  protocol_version: 70,
  internal_error: 80,
  user_canceled: 90,
  unrecognized_name: 112,
  no_application_protocol: 120,
} as const;

export type AlertDescription = keyof typeof descriptions;

/**
 * A fatal alert in the clear, one whole record of 7 bytes; the connection ends after it.
 *
 *     | 15 alert | 03 03 | 00 02 length | 02 fatal | description |     RFC 8446 §5.1, §6
 */
export function encodeAlert(description: AlertDescription): Uint8Array {
  return Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, descriptions[description]);
}
