import { execFileSync, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort, processTree } from "../../support/postern.ts";
import { listens, stop } from "./processes.ts";

export interface SshTunnel extends AsyncDisposable {
  /** Where visitors connect. */
  readonly port: number;
  /** Process ids: the server's process for this tunnel, and the client. */
  readonly server: number;
  readonly client: number;
}

/** `ssh -R` over loopback to a server of its own, with keys that nobody else has. */
export async function startSshTunnel(directory: string, target: number): Promise<SshTunnel> {
  const home = join(directory, `ssh-${target}`);
  mkdirSync(home, { recursive: true, mode: 0o700 });
  mkdirSync("/run/sshd", { recursive: true }); // where OpenSSH's server goes for privilege separation
  const [hostKey, key, allowed, config] = ["host", "client", "allowed", "config"].map((name) => join(home, name));
  for (const path of [hostKey!, key!]) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  copyFileSync(`${key}.pub`, allowed!);
  chmodSync(allowed!, 0o600);
  const [sshPort, port] = [await freePort(), await freePort()];
  writeFileSync(
    config!,
    `ListenAddress 127.0.0.1:${sshPort}
HostKey ${hostKey}
AuthorizedKeysFile ${allowed}
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
MaxSessions 10
`,
  );
  const server = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", config!], { stdio: ["ignore", "ignore", "ignore"] });
  await listens(sshPort, server);
  const forward = `127.0.0.1:${port}:127.0.0.1:${target}`;
  const options = [
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "ExitOnForwardFailure=yes",
  ];
  const args = ["-N", "-F", "none", "-i", key!, "-p", String(sshPort), "-R", forward];
  for (const option of options) args.push("-o", option);
  const client = spawn("ssh", [...args, `${userInfo().username}@127.0.0.1`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await listens(port, client);
  return {
    port,
    server: processTree(server.pid ?? 0).at(-1) ?? 0, // the listener has a child for each connection
    client: client.pid ?? 0,
    async [Symbol.asyncDispose]() {
      await stop(client);
      await stop(server);
    },
  };
}
