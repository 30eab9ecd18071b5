import type { RedriveJob, RedriveJobStatus, TakenRedriveJob } from './redrive-job';
import { timestampText } from './timestamp-text';

/** bigint travels as text: the user may have told pg to read its type in another way. */
export const JOB_COLUMNS = `id::text, status, selection, by, reason, ${timestampText('created_at')} as created_at, ${timestampText('ended_at')} as ended_at,
  canary, canary_passed, per_second::text, outcome_wait_ms::text, redriven::text, failed::text, skipped::text, held::text, detail,
  epoch::text, upto::text, cursor_position::text, cursor_id::text, canaries::text[]`;

export interface JobRow {
  readonly id: string;
  readonly status: RedriveJobStatus;
  readonly selection: RedriveJob['selection'];
  readonly by: string;
  readonly reason: string;
  readonly created_at: string;
  readonly ended_at: string | null;
  readonly canary: number;
  readonly canary_passed: boolean;
  readonly per_second: string | null;
  readonly outcome_wait_ms: string;
  readonly redriven: string;
  readonly failed: string;
  readonly skipped: string;
  readonly held: string;
  readonly detail: string | null;
  readonly epoch: string;
  readonly upto: string;
  readonly cursor_position: string;
  readonly cursor_id: string;
  readonly canaries: string[];
}

export const jobOf = (row: JobRow): RedriveJob => ({
  id: row.id,
  status: row.status,
  selection: row.selection,
  by: row.by,
  reason: row.reason,
  createdAt: row.created_at,
  endedAt: row.ended_at,
  canary: row.canary,
  canaryPassed: row.canary_passed,
  perSecond: row.per_second === null ? null : Number(row.per_second),
  outcomeWaitMs: Number(row.outcome_wait_ms),
  redriven: Number(row.redriven),
  failed: Number(row.failed),
  skipped: Number(row.skipped),
  held: Number(row.held),
  detail: row.detail,
});

export const takenJobOf = (row: JobRow): TakenRedriveJob => ({
  ...jobOf(row),
  epoch: row.epoch,
  upto: row.upto,
  cursor: { position: row.cursor_position, id: row.cursor_id },
  canaries: row.canaries,
});
