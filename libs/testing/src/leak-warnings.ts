import { runInThisContext } from 'node:vm';

/**
 * Collects Node's warnings of leaking listeners until `stop`. From the process itself: Jest gives a spec a copy of `process`, on which Node emits
 * nothing. A warning is emitted a turn of the event loop after its cause.
 */
export function leakWarnings(): { readonly warnings: readonly string[]; stop(): void } {
  const real = runInThisContext('process') as NodeJS.Process;
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => {
    if (warning.name === 'MaxListenersExceededWarning') warnings.push(warning.message);
  };
  real.on('warning', onWarning);
  return { warnings, stop: () => void real.off('warning', onWarning) };
}
