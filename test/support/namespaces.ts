/**
 * A network of its own for one test: hosts in network namespaces around a router that can be told to lose, refuse or
 * translate what passes. Nothing of it touches the machine's own network, and all of it goes at its disposal.
 *
 *     host ── eth0 (10.77.n.2) ───── to-host (10.77.n.1) ── router ── … ── other host
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const commandMs = 15_000;
const directory = "/run/netns";

export interface Network extends Disposable {
  /** Where other hosts reach it. */
  address(host: string): string;
  /** The file by which other programs enter the host's namespace. */
  namespace(host: string): string;
  /** Put before a program and its arguments, runs it on the host; the process id is the program's. */
  prefix(host: string): [string, ...string[]];
  /** Runs a program on a host, or on `router`, to its end and returns what it said. Throws when it fails. */
  run(host: string, program: string, args: readonly string[], input?: string): string;
  /** Rules of nft that judge what the router passes on, until they are lifted; after those that were there before. */
  obstruct(...rules: readonly string[]): Disposable;
  /** Lets others reach what listens on a port of the host's loopback only. */
  publish(host: string, port: number): void;
  /**
   * Hides `host` behind the router's addresses, as a home router does: what has not been heard of for `forgetMs` is
   * forgotten, and packets of it vanish. `forgetMs` is for connections that are new or heard of from then on.
   */
  masquerade(host: string, forgetMs: number): void;
  /** nft's words for what goes from one host to another. */
  from: (host: string, to: string) => string;
}

let networks = 0;

/** Throws when this machine cannot; {@link whyNoNetwork} tells beforehand. */
export function createNetwork(hosts: readonly string[]): Network {
  const prefix = `postern-${process.pid}-${networks++}`;
  const made: string[] = [];
  const nameOf = (host: string): string => `${prefix}-${host}`;
  const addressOf = (host: string, end: 1 | 2): string => `10.77.${hosts.indexOf(host) + 1}.${end}`;
  const run: Network["run"] = (host, program, args, input = "") =>
    execute("ip", ["netns", "exec", nameOf(host), program, ...args], input);
  const nft = (rules: string): void => void run("router", "nft", ["-f", "-"], rules);
  const add = (host: string): void => {
    execute("ip", ["netns", "add", nameOf(host)]);
    made.push(nameOf(host));
    run(host, "ip", ["link", "set", "lo", "up"]);
  };
  const dispose = (): void => {
    process.removeListener("exit", dispose);
    for (const name of made.splice(0)) execute("ip", ["netns", "delete", name]);
  };
  // Reached also when a test ends the process.
  process.once("exit", dispose);
  let obstructions = 0;

  removeOrphans();
  try {
    add("router");
    run("router", "sh", ["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    for (const host of hosts) {
      add(host);
      const [near, far] = ["eth0", `to-${host}`];
      const pair = ["type", "veth", "peer", "name", far, "netns", nameOf("router")];
      run(host, "ip", ["link", "add", near, ...pair]);
      run(host, "ip", ["address", "add", `${addressOf(host, 2)}/24`, "dev", near]);
      run("router", "ip", ["address", "add", `${addressOf(host, 1)}/24`, "dev", far]);
      run(host, "ip", ["link", "set", near, "up"]);
      run("router", "ip", ["link", "set", far, "up"]);
      run(host, "ip", ["route", "add", "default", "via", addressOf(host, 1)]);
    }
  } catch (error) {
    dispose();
    throw error;
  }

  return {
    address: (host) => addressOf(host, 2),
    namespace: (host) => `${directory}/${nameOf(host)}`,
    prefix: (host) => ["ip", "netns", "exec", nameOf(host)],
    run,
    from: (host, to) => `iifname "to-${host}" oifname "to-${to}"`,
    obstruct(...rules) {
      const hook = `type filter hook forward priority ${++obstructions};`;
      const table = `inet obstruction${obstructions}`;
      nft(`table ${table} {\nchain path {\n${hook}\n${rules.join("\n")}\n}\n}\n`);
      return { [Symbol.dispose]: () => nft(`delete table ${table}`) };
    },
    publish(host, port) {
      run(host, "sh", ["-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet"]);
      const hook = "type nat hook prerouting priority -100;";
      const rule = `tcp dport ${port} dnat to 127.0.0.1`;
      run(host, "nft", ["-f", "-"], `table ip published${port} {\nchain in {\n${hook}\n${rule}\n}\n}\n`);
    },
    masquerade(host, forgetMs) {
      const tcp = "/proc/sys/net/netfilter/nf_conntrack_tcp";
      const seconds = Math.ceil(forgetMs / 1000);
      run("router", "sh", ["-c", `echo ${seconds} > ${tcp}_timeout_established && echo 0 > ${tcp}_loose`]);
      nft(`table inet translation {}\nflush table inet translation\ntable inet translation {
        chain out { type nat hook postrouting priority 100;
          ip saddr ${addressOf(host, 2)} masquerade
        }
        chain through { type filter hook forward priority 0;
          ct state invalid drop
        }
        chain in { type filter hook input priority 0;
          meta l4proto tcp drop
        }
      }`);
    },
    [Symbol.dispose]: dispose,
  };
}

/** Why tests of this kind cannot run here, in a line; undefined when they can. */
export function whyNoNetwork(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are there on Linux only";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  try {
    using network = createNetwork(["trial"]);
    using _ = network.obstruct("ct state invalid drop", "tcp dport 9 @ih,0,8 0 reject with tcp reset");
    network.masquerade("trial", 1_000);
    return undefined;
  } catch (error) {
    return `this machine cannot make a network: ${String(error).split("\n", 2).join(" ")}`;
  }
}

/** What processes that were killed have left behind. */
function removeOrphans(): void {
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    const [, pid] = /^postern-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) execute("ip", ["netns", "delete", name]);
  }
}

function execute(program: string, args: readonly string[], input = ""): string {
  return execFileSync(program, args, { input, encoding: "utf8", timeout: commandMs, stdio: ["pipe", "pipe", "pipe"] });
}
