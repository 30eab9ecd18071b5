// Interleaved rounds: each contender runs once a round, in turning order, so that a noisy machine is noisy for all of them alike.

export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export const percentile = (numbers, share) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
};

const rounded = (number, digits = 2) => Number(number.toFixed(digits));

/** Begins to measure; the function that it returns ends it: seconds, and milliseconds of CPU that this process spent (steadier than the clock). */
export function measure() {
  const from = performance.now();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { seconds: (performance.now() - from) / 1000, cpuMs: (user + system) / 1000 };
  };
}

/** Measures from the first `begun()` until `ended` has been told of `count`. */
export function stopwatch(count) {
  let end;
  let left = count;
  let stop;
  const figures = new Promise((resolve) => (stop = resolve));
  const ended = (n = 1) => {
    left -= n;
    if (left === 0) stop(end());
  };
  return { figures, begun: () => (end ??= measure()), ended };
}

export async function timed(work) {
  const end = measure();
  await work();
  return end();
}

/**
 * `contenders`: by name, a function that handles the round's messages and returns what `measure` does. The first is ours, the second the limit.
 * The ratio is the median of the rounds' ratios: each compares two runs that were neighbours in time.
 */
export async function interleave({ row, target, rounds, messages, contenders, note }) {
  const names = Object.keys(contenders);
  const rates = Object.fromEntries(names.map((name) => [name, []]));
  const cpu = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    const order = round % 2 ? [...names].reverse() : names;
    for (const name of order) {
      const warming = round < 0; // one short round before they count: connections, plans, compiled code
      const n = warming ? Math.ceil(messages / 5) : messages;
      const { seconds, cpuMs } = await contenders[name](n);
      if (warming) continue;
      rates[name].push(n / seconds);
      cpu[name].push((cpuMs * 1_000) / n);
    }
  }
  const [ours, limit] = names;
  const ratioTo = (name) => rounded(median(rates[ours].map((rate, round) => rate / rates[name][round])));
  const ratio = ratioTo(limit);
  return {
    row,
    figures: names.map((name) => ({
      name,
      perSecond: Math.round(median(rates[name])),
      cpuMicros: Math.round(median(cpu[name])),
      ratio: ratioTo(name),
    })),
    ratio,
    ratios: rates[ours].map((rate, round) => rounded(rate / rates[limit][round])),
    target: `≥ ${target}`,
    met: ratio >= target,
    ...(note && { note }),
  };
}
