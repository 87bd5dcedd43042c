import cluster from 'node:cluster';

/** The number of this worker process, from 1; null in a server of one process. */
export function workerNumber(): number | null {
  const number = Number(process.env.CHAT_WORKER);
  return cluster.isWorker && Number.isInteger(number) && number > 0 ? number : null;
}
