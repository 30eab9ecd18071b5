import { accept, reject, retry, type Settlement } from '../transport/settlement';
import { blockMiddleware } from './block.middleware';
import type { MessageContext } from './message-context';
import type { OnFailure } from './handler';

const settle = (settlement: Settlement, onFailure: OnFailure, key: string | null = 'k') =>
  blockMiddleware({ handler: { onFailure }, message: { key } } as MessageContext, async () => settlement);

describe('A handler that blocks its failed keys', () => {
  it('gives nothing of a key up: it is tried again, uncounted', async () => {
    expect(await settle(reject('no', new Error('no')), 'block')).toMatchObject({ kind: 'retry', counted: false });
  });

  it('leaves all else as it is', async () => {
    for (const settlement of [accept, retry(5)]) expect(await settle(settlement, 'block')).toBe(settlement);
    const rejected = reject('no');
    expect(await settle(rejected, 'skip')).toBe(rejected);
    expect(await settle(rejected, 'block', null)).toBe(rejected);
  });
});
