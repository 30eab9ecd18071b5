import { NoResponderError, type Requester, RequestTimeoutError, ResponderError, TidingsError } from '@tidings/core';
import type { TransportHarness } from '../transport-conformance';
import { Conversation } from './conversation';

const DROPPED = 'a reply was dropped: nobody waits for it any more';

/** Long enough for a machine under load; a test that waits for it to pass has a shorter one. */
const PATIENT = { timeoutMs: 20_000 };

/** Declares a jest test for everything that a transport with the power `RequestReply` owes, below `request-reply › <kind>`. */
export function requestReplyConformance(harness: TransportHarness): void {
  describe('request-reply', () => {
    describe(harness.kind, () => {
      let scene: Conversation;
      beforeAll(async () => harness.open?.(), 60_000);
      beforeEach(() => (scene = new Conversation(harness)));
      afterEach(async () => {
        await scene.end();
        await harness.afterEach?.();
      }, 60_000);
      afterAll(() => harness.close(), 60_000);

      const ask = (
        requester: Requester,
        text: string,
        options: { timeoutMs?: number; signal?: AbortSignal } = PATIENT,
      ) => requester.request(scene.echo, { text }, options);

      it('brings each of many answers to the request and the requester that asked for it', async () => {
        await scene.responder(({ text }) => ({ text: `${text}!` }));
        await scene.responder(({ text }) => ({ text: `${text}!` }));
        const requesters = await Promise.all([1, 2, 3].map(() => scene.requester()));
        const asked = requesters.flatMap((requester, who) =>
          Array.from({ length: 20 }, (_, n) => ({ requester, text: `礼物 ${who}/${n}` })),
        );
        const answers = await Promise.all(asked.map(({ requester, text }) => ask(requester, text)));
        expect(answers).toEqual(asked.map(({ text }) => ({ text: `${text}!` })));
        expect(scene.debugLines).toEqual([]);
      }, 60_000);

      it('carries a large answer byte for byte', async () => {
        const large = '💐'.repeat(60_000);
        await scene.responder(() => ({ text: large }));
        expect((await ask(await scene.requester(), 'much')).text === large).toBe(true);
      }, 60_000);

      it("throws the responder's error at the requester, with its name, code and message, and goes on answering", async () => {
        await scene.responder(({ text }) => {
          if (text === 'fail') throw new TidingsError('NO_ROOM', 'room 7 is closed');
          return { text };
        });
        const requester = await scene.requester();
        const failure: unknown = await ask(requester, 'fail').catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(ResponderError);
        expect(failure).toMatchObject({
          type: 'room.echo',
          failure: { name: 'TidingsError', code: 'NO_ROOM', message: 'room 7 is closed' },
        });
        expect(await ask(requester, 'well')).toEqual({ text: 'well' });
      }, 60_000);

      it('fails a request whose answer does not fit the contract', async () => {
        await scene.responder(() => ({ words: 1 }));
        await expect(ask(await scene.requester(), 'odd')).rejects.toMatchObject({
          failure: { name: 'ContractError', code: 'TIDINGS_CONTRACT' },
        });
      }, 60_000);

      it('says at once that there is no responder, and asks one that comes later', async () => {
        const requester = await scene.requester();
        await expect(ask(requester, 'anybody?')).rejects.toBeInstanceOf(NoResponderError);
        await scene.responder(({ text }) => ({ text }));
        expect(await ask(requester, 'now?')).toEqual({ text: 'now?' });
      }, 60_000);

      it('gives up in time when every responder is gone', async () => {
        const { active } = await scene.responder(({ text }) => ({ text }));
        await active.stop(1_000);
        const failure: unknown = await ask(await scene.requester(), 'gone?', { timeoutMs: 300 }).catch(
          (error: unknown) => error,
        );
        expect(failure).toBeInstanceOf(RequestTimeoutError);
        expect(failure).toMatchObject({ code: 'TIDINGS_REQUEST_TIMEOUT', type: 'room.echo', timeoutMs: 300 });
      }, 60_000);

      it('drops an answer that comes too late, and gives it to no other request', async () => {
        const gate = scene.gate();
        await scene.responder(async ({ text }) => {
          if (text === 'slow') await gate.opened;
          return { text };
        });
        const requester = await scene.requester();
        expect(await ask(requester, 'first')).toEqual({ text: 'first' });
        await expect(ask(requester, 'slow', { timeoutMs: 500 })).rejects.toBeInstanceOf(RequestTimeoutError);
        const meanwhile = ask(requester, 'next');
        gate.open();
        expect(await meanwhile).toEqual({ text: 'next' });
        await scene.untilTrue('the late answer', () => scene.debugLines.includes(DROPPED));
      }, 60_000);

      it('gives a request up when its signal aborts, with its reason', async () => {
        const gate = scene.gate();
        const began = scene.gate();
        await scene.responder(async ({ text }) => {
          began.open();
          await gate.opened;
          return { text };
        });
        const requester = await scene.requester();
        const cancel = new AbortController();
        const asked = ask(requester, 'cancelled', { ...PATIENT, signal: cancel.signal });
        await began.opened;
        const reason = new TidingsError('CANCELLED', 'the user left');
        cancel.abort(reason);
        await expect(asked).rejects.toBe(reason);
        await expect(ask(requester, 'never sent', { signal: cancel.signal })).rejects.toBe(reason);
        gate.open();
        await scene.untilTrue('the answer that nobody waits for', () => scene.debugLines.includes(DROPPED));
      }, 60_000);

      it('fails what still waits when the requester is closed', async () => {
        const gate = scene.gate();
        const began = scene.gate();
        await scene.responder(async ({ text }) => {
          began.open();
          await gate.opened;
          return { text };
        });
        const requester = await scene.requester();
        const asked = ask(requester, 'closing');
        const failed = expect(asked).rejects.toMatchObject({ code: 'TIDINGS_REQUESTER_CLOSED' });
        await began.opened;
        await requester.close();
        await failed;
        await expect(ask(requester, 'closed')).rejects.toMatchObject({ code: 'TIDINGS_REQUESTER_CLOSED' });
      }, 60_000);

      if (harness.cut) {
        it('answers again after the connection was cut', async () => {
          await scene.responder(({ text }) => ({ text }));
          const requester = await scene.requester();
          expect(await ask(requester, 'before')).toEqual({ text: 'before' });
          await harness.cut?.();
          await scene.untilTrue('an answer', async () =>
            ask(requester, 'after', { timeoutMs: 1_000 }).then(
              ({ text }) => text === 'after',
              () => false,
            ),
          );
        }, 60_000);
      }

      if (harness.process) {
        it('takes over from a responder that was killed with a request in hand: that one is a time-out, the next is answered', async () => {
          const dead = await scene.holdInProcess({ topic: scene.echo.topic, group: 'responders' });
          const requester = await scene.requester();
          const asked = expect(ask(requester, 'to the dead', { timeoutMs: 5_000 })).rejects.toBeInstanceOf(
            RequestTimeoutError,
          );
          await dead.took(1);
          await asked;
          await dead.kill();
          await scene.responder(({ text }) => ({ text }));
          expect(await ask(requester, 'to the living')).toEqual({ text: 'to the living' });
        }, 60_000);
      }
    });
  });
}
