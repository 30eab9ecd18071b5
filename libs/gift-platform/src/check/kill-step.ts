/**
 * Where a process dies, for checks.
 * - `handled`: the handler has returned or thrown, and its transaction is open.
 * - `settled`: its transaction has committed, and the transport has not heard of it.
 */
export interface KillStep {
  readonly step: 'handled' | 'settled';
  /** Of the messages that count. */
  readonly type: string;
  /** At the N-th of them. */
  readonly nth: number;
}

export const KILL_STEP = /^(handled|settled):([\w.-]+):(\d+)$/;

export function killStepOf(text: string | undefined): KillStep | undefined {
  const [, step, type, nth] = KILL_STEP.exec(text ?? '') ?? [];
  return step === undefined ? undefined : { step: step as KillStep['step'], type: type!, nth: Number(nth) };
}

/** Never resolves: the signal takes a moment, in which nothing may go on. */
export function killThisProcess(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
}
