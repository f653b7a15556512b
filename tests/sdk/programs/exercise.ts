// What a user of the TypeScript client does, from a launch to an error of each kind; prints what came as JSON.
import { createClient, createConfig } from "./client/client";
import { cancelJob, cleanupJob, getJob, getJobLogs, launchJob, listJobs } from "./client";
import type { DryRun, Job, JobRequest, Problem } from "./client";

declare const process: { argv: string[] };
const [address, token, reader, crowded] = process.argv.slice(2);
const as = (auth: string) => createClient(createConfig({ baseUrl: address, auth }));
const client = as(token);
const path = { executor: "mock" };
const unknown = "0193a1c2-5b7e-7c11-9d43-0a1b2c3d4e5f";

const launch = (body: JobRequest, auth = token, key?: string) =>
  launchJob({ client: as(auth), path, body, headers: { "Idempotency-Key": key, Prefer: "wait=30" } });

const launched = (answer: { data?: Job | DryRun; error?: unknown }): Job => {
  if (!answer.data || "dry_run" in answer.data) throw new Error(JSON.stringify(answer.error));
  return answer.data;
};

const given = <T>(answer: { data?: T; error?: unknown }): T => {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
};

async function ended(job: Job): Promise<Job> {
  while (job.finished_at === null) {
    job = given(await getJob({ client, path: { job: job.id }, query: { wait: 30, version: job.version } }));
  }
  return job;
}

async function lifecycle() {
  const output = [{ text: "hello\n" }, { stream: "stderr", text: "oh\n" }];
  const job = launched(await launch({ command: ["true"], scenario: { output, exit_code: 3 } }));
  const logs = given(await getJobLogs({ client, path: { job: job.id }, headers: { Accept: "application/json" } }));
  if (typeof logs === "string") throw new Error("expected a page of lines");
  const label = `ts-${Date.now()}`;
  const long = { command: ["true"], labels: { test: label }, scenario: { run_seconds: 600 } };
  const second = launched(await launchJob({ client, path, body: long }));
  given(await cancelJob({ client, path: { job: second.id } }));
  const cancelled = await ended(second);
  const cleaned = await cleanupJob({ client, path: { job: second.id } });
  const page = given(await listJobs({ client, query: { label: [`test:${label}`], state: ["cancelled"] } }));
  return {
    ended: [job.state, job.reason, job.exit_code],
    lines: logs.lines.map((line) => [line.stream, line.text]),
    cancelled: [cancelled.state, cancelled.reason],
    cleaned: cleaned.response?.status,
    listed: page.results.map((found) => found.id === second.id && found.cleaned_at !== null),
  };
}

async function untilFull() {
  for (let turn = 0; turn < 4; turn++) {
    const body = { command: ["true"], scenario: { run_seconds: 600 } };
    const answer = await launchJob({ client: as(crowded), path, body });
    if (answer.error) return answer;
  }
  throw new Error("the queue never was full");
}

async function errors() {
  const done = launched(await launch({ command: ["true"] }));
  const answers: { error?: Problem }[] = [
    await launch({ command: ["true"] }, token, "not visible"),
    await getJob({ client: as("purser_nobody"), path: { job: unknown } }),
    await launch({ command: ["true"] }, reader),
    await getJob({ client, path: { job: unknown } }),
    await cancelJob({ client, path: { job: done.id } }),
    await launch({ command: ["true"], stdin: "x".repeat(70_000) }),
    await launch({ command: ["true"], memory_mib: 0 }),
    await untilFull(),
  ];
  return answers.map((answer) => [answer.error?.status, answer.error?.code]);
}

async function main() {
  console.log(JSON.stringify({ ...(await lifecycle()), errors: await errors() }));
}
main();
