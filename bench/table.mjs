// Rows as a Markdown table: what docs/performance.md keeps.

const told = ({ perSecond, cpuMicros, ratio, p50Ms, p99Ms, rounds, count }) => {
  if (perSecond !== undefined) return [`${perSecond}/s, ${cpuMicros} µs of CPU`, ratio === 1 ? '' : `× ${ratio}`];
  if (p50Ms !== undefined)
    return [`p50 ${p50Ms} ms, p99 ${p99Ms} ms (all: ${rounds.map((pair) => pair.join('/')).join(' · ')})`, ''];
  return [String(count), ''];
};

export function formatTable(rows) {
  const lines = ['| row | who | figure | ours to it | target | met |', '| --- | --- | --- | --- | --- | --- |'];
  for (const { row, figures, target, met, ratios } of rows) {
    figures.forEach((figure, index) => {
      const first = index === 0;
      const [rate, ratio] = told(figure);
      const verdict = figure.met ?? (first ? met : undefined);
      const cells = [first ? row : '', figure.name, rate, ratio, first ? target : ''];
      lines.push(`| ${[...cells, verdict === undefined ? '' : verdict ? 'yes' : 'no'].join(' | ')} |`);
    });
    if (ratios) lines.push(`| | ratios of the rounds | ${ratios.join(' · ')} | | | |`);
  }
  return lines.join('\n');
}
