import { goalCpuMs, goalKibibytes, type WorkerStart } from "../worker-start.ts";
import { line, median, short } from "./table.ts";

export function formatWorkerStart({ bytes, gzippedBytes, cpuMs }: WorkerStart): string {
  const judged = (value: number, goal: number): string => `(goal ${goal}: ${value <= goal ? "met" : "missed"})`;
  const kibibytes = bytes / 1024;
  const cpu = median(cpuMs);
  const head = [
    "**the edge's Worker**",
    "minified KiB",
    "gzipped KiB",
    "CPU ms of a start: median (min–max)",
    "starts",
  ];
  const row = [
    "",
    `${kibibytes.toFixed(0)} ${judged(kibibytes, goalKibibytes)}`,
    (gzippedBytes / 1024).toFixed(0),
    `${short(cpu)} (${short(Math.min(...cpuMs))}–${short(Math.max(...cpuMs))}) ${judged(cpu, goalCpuMs)}`,
    String(cpuMs.length),
  ];
  return [line(head), line(head.map(() => "---")), line(row)].join("\n");
}
