/** TLS clients that the recorder runs: how each is started, and what it is asked to ask for. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

type Command = readonly [string, ...string[]];

export interface Client {
  file: string;
  origin: string;
  version: Command;
  serverName: string | null;
  alpn: string[];
  command(target: { port: number; scratch: string }): Command;
}

const manyProtocols = Array.from({ length: 400 }, (_, at) => `protocol-${at}`);

export const clients: readonly Client[] = [
  {
    ...openssl("openssl.bin", "TLS 1.3 and below"),
    serverName: "openssl.postern.localhost",
    command: ({ port }) => sClient(port, "-servername", "openssl.postern.localhost"),
  },
  {
    ...openssl("openssl-tls12.bin", "TLS 1.2 only, name in capitals"),
    serverName: "openssl.postern.localhost",
    alpn: ["h2"],
    command: ({ port }) => sClient(port, "-tls1_2", "-servername", "OpenSSL.Postern.LOCALHOST", "-alpn", "h2"),
  },
  {
    ...openssl("openssl-no-name.bin", "without a server name"),
    command: ({ port }) => sClient(port, "-noservername"),
  },
  {
    ...openssl("openssl-long-in-records.bin", "400 protocols: 5.4 KB in records of at most 512 bytes"),
    serverName: "long.postern.localhost",
    alpn: manyProtocols,
    command: ({ port }) =>
      sClient(port, "-servername", "long.postern.localhost", "-alpn", manyProtocols.join(","), "-max_send_frag", "512"),
  },
  {
    file: "curl.bin",
    origin: "curl",
    version: ["curl", "--version"],
    serverName: "curl.postern.localhost",
    alpn: ["h2", "http/1.1"],
    command: ({ port }) => ["curl", "-sk", `https://curl.postern.localhost:${port}/`],
  },
  {
    file: "node.bin",
    origin: "Node.js tls.connect: X25519MLKEM768",
    version: [process.execPath, "--version"],
    serverName: "node.postern.localhost",
    alpn: ["h2", "http/1.1"],
    command: ({ port }) => [
      process.execPath,
      "-e",
      `require("tls").connect({ port: ${port}, servername: "node.postern.localhost", ALPNProtocols: ["h2", "http/1.1"] })`,
    ],
  },
  ...["chromium.bin", "chromium-again.bin"].map((file): Client => ({
    file,
    origin: "Chromium, headless: GREASE, X25519MLKEM768, GREASE ECH, extensions in random order",
    version: ["chromium", "--version"],
    serverName: "chromium.postern.localhost",
    alpn: ["h2", "http/1.1"],
    command: ({ port, scratch }) => [
      "chromium",
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-sync",
      "--disable-background-networking",
      "--disable-component-update",
      `--user-data-dir=${scratch}`,
      `https://chromium.postern.localhost:${port}/`,
    ],
  })),
  {
    file: "python.bin",
    origin: "Python ssl",
    version: ["python3", "--version"],
    serverName: "python.postern.localhost",
    alpn: ["http/1.1"],
    command: ({ port }) => [
      "python3",
      "-c",
      `import socket, ssl
context = ssl.create_default_context()
context.set_alpn_protocols(["http/1.1"])
context.wrap_socket(socket.create_connection(("127.0.0.1", ${port})), server_hostname="python.postern.localhost")`,
    ],
  },
  {
    file: "git.bin",
    origin: "git (libcurl on GnuTLS)",
    version: ["git", "--version"],
    serverName: "git.postern.localhost",
    alpn: ["h2", "http/1.1"],
    command: ({ port }) => ["git", "ls-remote", `https://git.postern.localhost:${port}/x`],
  },
  {
    file: "wget.bin",
    origin: "wget (GnuTLS)",
    version: ["wget", "--version"],
    serverName: "localhost",
    alpn: [],
    command: ({ port }) => ["wget", "-qO-", "--tries=1", `https://localhost:${port}/`],
  },
  {
    file: "java.bin",
    origin: "Java SSLSocket",
    version: ["java", "-version"],
    serverName: "java.postern.localhost",
    alpn: ["h2", "http/1.1"],
    command: ({ port, scratch }) => ["java", javaClient(scratch), String(port)],
  },
];

function openssl(file: string, how: string): Pick<Client, "file" | "origin" | "version" | "serverName" | "alpn"> {
  return { file, origin: `openssl s_client, ${how}`, version: ["openssl", "version"], serverName: null, alpn: [] };
}

function sClient(port: number, ...options: string[]): Command {
  return ["openssl", "s_client", "-connect", `127.0.0.1:${port}`, ...options];
}

function javaClient(scratch: string): string {
  const path = join(scratch, "Hello.java");
  writeFileSync(
    path,
    `import java.net.Socket;
import javax.net.ssl.*;
class Hello {
  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
    SSLSocket socket = (SSLSocket) factory.createSocket(new Socket("127.0.0.1", port), "java.postern.localhost", port, true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setApplicationProtocols(new String[] { "h2", "http/1.1" });
    socket.setSSLParameters(parameters);
    socket.startHandshake();
  }
}
`,
  );
  return path;
}
