import { hasRequestReply } from '@tidings/core';
import { BROKER_NAMES, BROKERS } from './broker-table';

describe('the table of brokers', () => {
  it.each(BROKER_NAMES)('tells truly whether %s carries requests', async (name) => {
    const { open, local, carriesRequests } = BROKERS[name];
    const transport = await open({ url: local, prefix: 'spec' }); // connects nothing yet
    expect(hasRequestReply(transport)).toBe(carriesRequests);
    await transport.close();
  });
});
