import { createServer, type AddressInfo } from "node:net";
import { connect } from "node:tls";
import { expect, it } from "vitest";
import { encodeAlert, type AlertDescription } from "../../../shared/tls/alert.ts";

it("encodeAlert writes a fatal alert record of 7 bytes", () => {
  expect([...encodeAlert("unrecognized_name")]).toEqual([0x15, 3, 3, 0, 2, 2, 112]);
});

it.each<[AlertDescription, string]>([
  ["unexpected_message", "ERR_SSL_SSL/TLS_ALERT_UNEXPECTED_MESSAGE"],
  ["record_overflow", "ERR_SSL_TLSV1_ALERT_RECORD_OVERFLOW"],
  ["handshake_failure", "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE"],
  ["illegal_parameter", "ERR_SSL_SSL/TLS_ALERT_ILLEGAL_PARAMETER"],
  ["access_denied", "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED"],
  ["decode_error", "ERR_SSL_TLSV1_ALERT_DECODE_ERROR"],
  ["protocol_version", "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"],
  ["internal_error", "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR"],
  ["user_canceled", "ERR_SSL_TLSV1_ALERT_USER_CANCELLED"],
  ["unrecognized_name", "ERR_SSL_TLSV1_UNRECOGNIZED_NAME"],
  ["no_application_protocol", "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL"],
])("OpenSSL understands the alert %s", async (description, expected) => {
  const server = createServer((socket) => socket.once("data", () => socket.end(encodeAlert(description))));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const client = connect({ port: (server.address() as AddressInfo).port, servername: "a.example" });
  const code = await new Promise((resolve) =>
    client.once("error", (error: NodeJS.ErrnoException) => resolve(error.code)),
  );
  server.close();
  expect(code).toBe(expected);
});
