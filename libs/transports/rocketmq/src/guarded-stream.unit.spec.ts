import { inertStream } from './guarded-stream';

describe('the stream of a client that was shut down', () => {
  it('takes what the client says, and answers nothing', async () => {
    const stream = inertStream();
    const answers: unknown[] = [];
    stream.on('data', (answer: unknown) => answers.push(answer));
    await new Promise<unknown>((resolve) => stream.write({ settings: {} } as never, resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toEqual([]);
  });
});
