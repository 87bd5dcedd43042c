import type { DataJobs } from './retention/data-jobs.ts';
import type { ServiceCalls } from './service-calls.ts';
import type { DeleteAnyMessage } from './use-cases/service/delete-any-message.ts';
import type { LookIntoCluster } from './use-cases/service/look-into-cluster.ts';
import type { Moderate } from './use-cases/service/moderate.ts';
import type { SendInName } from './use-cases/service/send-in-name.ts';
import type { TraceTraffic } from './use-cases/service/trace-traffic.ts';

export interface ServiceUseCases {
  readonly sendInName: SendInName;
  readonly deleteAnyMessage: DeleteAnyMessage;
  readonly dataJobs: DataJobs;
  readonly moderate: Moderate;
  readonly lookIntoCluster: LookIntoCluster;
  readonly traceTraffic: TraceTraffic;
}

/** Puts the calls of administrators together. */
export function createServiceCalls(parts: ServiceUseCases): ServiceCalls {
  const { sendInName, deleteAnyMessage, dataJobs, moderate, lookIntoCluster, traceTraffic } = parts;
  return {
    sendMessage: (message) => sendInName.execute(message),
    deleteMessage: (deletion) => deleteAnyMessage.execute(deletion),

    disconnect: (admin, userId) => moderate.disconnect(admin, userId),
    ban: (admin, ban) => moderate.ban(admin, ban),
    unban: (admin, userId) => moderate.unban(admin, userId),
    mute: (admin, mute) => moderate.mute(admin, mute),
    unmute: (admin, mute) => moderate.unmute(admin, mute),
    slowMode: (admin, slowMode) => moderate.slowMode(admin, slowMode),
    bans: () => moderate.bans(),
    mutes: () => moderate.mutes(),
    slowModes: () => moderate.slowModes(),

    sessions: (userId) => lookIntoCluster.sessions(userId),
    presence: (place) => lookIntoCluster.presence(place),
    servers: () => lookIntoCluster.servers(),
    busiest: (max) => lookIntoCluster.busiest(max),
    slowClients: (max) => lookIntoCluster.slowClients(max),

    beginTrace: (admin, trace) => traceTraffic.begin(admin, trace),
    readTrace: (id) => traceTraffic.read(id),

    exportUser: (userId) => dataJobs.exportUser(userId),
    eraseUser: (userId, mode, dryRun) => dataJobs.eraseUser(userId, mode, dryRun),
    tryRetention: (days, fileDays) => dataJobs.tryRetention(days, fileDays),
    job: (id) => dataJobs.job(id),
    jobs: () => dataJobs.jobs(),
  };
}
