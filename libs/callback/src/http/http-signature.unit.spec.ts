import { createSigner, createVerifier, httpbis } from 'http-message-signatures';
import { contentDigestOf, isGenuineAnswer, signAnswer, signRequest, type SignedRequest, verifyRequest } from './http-signature'; // prettier-ignore

const old = { id: '2026-10', secret: 'o'.repeat(32) };
const current = { id: '2026-11', secret: 'c'.repeat(32) };
const secrets = { [old.id]: old.secret, [current.id]: current.secret };
const request: SignedRequest = { method: 'POST', target: '/callback/resend?a=1', contentType: 'application/json', body: Buffer.from('{"id":"g1"}') }; // prettier-ignore
const times = { created: 1_700_000_000, expires: 1_700_000_300 };
const signed = signRequest(request, current, { ...times, nonce: 'n'.repeat(24) });

describe('HTTP signature', () => {
  it('says who signed what, and when', () => {
    const { signature } = signed;
    expect(verifyRequest(request, { ...signed.headers }, secrets)).toEqual({ ...times, nonce: 'n'.repeat(24), keyId: current.id, signature }); // prettier-ignore
  });

  it.each<[string, Partial<SignedRequest>]>([
    ['method', { method: 'PUT' }],
    ['path', { target: '/callback/resend2?a=1' }],
    ['query', { target: '/callback/resend?a=2' }],
    ['absent query', { target: '/callback/resend' }],
    ['content type', { contentType: 'text/plain' }],
    ['body', { body: Buffer.from('{"id":"g2"}') }],
  ])('knows an altered %s', (_, altered) => {
    expect(verifyRequest({ ...request, ...altered }, { ...signed.headers }, secrets)).toBe('signature');
  });

  it.each<[string, (headers: Record<string, string>) => void]>([
    ['time of creation', (headers) => (headers['signature-input'] = headers['signature-input']!.replace('1700000000', '1700000001'))], // prettier-ignore
    ['time of expiry', (headers) => (headers['signature-input'] = headers['signature-input']!.replace('1700000300', '1800000300'))], // prettier-ignore
    ['nonce', (headers) => (headers['signature-input'] = headers['signature-input']!.replace('nnn', 'mmm'))],
    ['key id', (headers) => (headers['signature-input'] = headers['signature-input']!.replace(current.id, old.id))],
    ['unknown key id', (headers) => (headers['signature-input'] = headers['signature-input']!.replace(current.id, '2026-12'))], // prettier-ignore
    ['key id of every object', (headers) => (headers['signature-input'] = headers['signature-input']!.replace(current.id, 'constructor'))], // prettier-ignore
    ['digest', (headers) => (headers['content-digest'] = contentDigestOf(Buffer.from('{"id":"g2"}')))],
    ['signature', (headers) => (headers['signature'] = headers['signature']!.replace(/:(.)/, (_, c) => (c === 'A' ? ':B' : ':A')))], // prettier-ignore
  ])('knows headers with an altered %s', (_, alter) => {
    const headers: Record<string, string> = { ...signed.headers };
    alter(headers);
    expect(headers).not.toEqual(signed.headers);
    expect(verifyRequest(request, headers, secrets)).toBe('signature');
  });

  it('knows a body and its digest that were altered together', () => {
    const body = Buffer.from('{"id":"g2"}');
    const headers = { ...signed.headers, 'content-digest': contentDigestOf(body) };
    expect(verifyRequest({ ...request, body }, headers, secrets)).toBe('signature');
  });

  it.each<[string, Record<string, string | string[]>]>([
    ['nothing', {}],
    ['no signature', { 'signature-input': signed.headers['signature-input'] }],
    ['fewer components', { ...signed.headers, 'signature-input': signed.headers['signature-input'].replace('"@path" ', '') }], // prettier-ignore
    ['another algorithm', { ...signed.headers, 'signature-input': signed.headers['signature-input'].replace('hmac-sha256', 'hmac-md5') }], // prettier-ignore
    ['no nonce', { ...signed.headers, 'signature-input': signed.headers['signature-input'].replace(/nonce="n+";/, '') }], // prettier-ignore
    ['two signatures', { ...signed.headers, signature: `${signed.headers.signature}, other=:AAAA:` }],
    ['a header twice', { ...signed.headers, signature: [signed.headers.signature, signed.headers.signature] }],
  ])('takes no other form: %s', (_, headers) => {
    expect(verifyRequest(request, headers, secrets)).toBe('malformed');
  });

  it('is verified by the old key and by the new one, until the old one goes', () => {
    const byOld = signRequest(request, old, times);
    expect(verifyRequest(request, { ...byOld.headers }, secrets)).toMatchObject({ keyId: old.id });
    expect(verifyRequest(request, { ...signed.headers }, secrets)).toMatchObject({ keyId: current.id });
    expect(verifyRequest(request, { ...byOld.headers }, { [current.id]: current.secret })).toBe('signature');
  });

  it('binds an answer to its question, its status and its bytes', () => {
    const answer = { status: 200, body: Buffer.from('{"answer":"never"}') };
    const headers = { ...signAnswer(answer, signed.signature, current) };
    const another = signRequest(request, current, times).signature;
    expect(isGenuineAnswer(answer, headers, signed.signature, current)).toBe(true);
    expect(isGenuineAnswer(answer, headers, another, current)).toBe(false);
    expect(isGenuineAnswer({ ...answer, status: 201 }, headers, signed.signature, current)).toBe(false);
    expect(isGenuineAnswer({ ...answer, body: Buffer.from('{"answer":"sent"}') }, headers, signed.signature, current)).toBe(false); // prettier-ignore
    expect(isGenuineAnswer(answer, headers, signed.signature, old)).toBe(false);
    expect(isGenuineAnswer(answer, {}, signed.signature, current)).toBe(false);
  });

  describe('as another implementation of RFC 9421 has it', () => {
    const url = `https://gift-api.example${request.target}`;
    const content = { 'content-type': request.contentType };
    const keyLookup = () =>
      Promise.resolve({ id: current.id, algs: ['hmac-sha256'], verify: createVerifier(current.secret, 'hmac-sha256') });
    const now = Math.floor(performance.timeOrigin / 1_000);
    const ours = signRequest(request, current, { created: now, expires: now + 3_600 });

    it('is verified there', async () => {
      const headers = { ...ours.headers, ...content };
      expect(await httpbis.verifyMessage({ keyLookup }, { method: 'POST', url, headers })).toBe(true);
      const altered = { method: 'PUT', url, headers };
      await expect(httpbis.verifyMessage({ keyLookup }, altered).then((good) => good === true)).resolves.toBe(false);
    });

    it('verifies what is signed there', async () => {
      const theirs = await httpbis.signMessage(
        {
          key: createSigner(current.secret, 'hmac-sha256', current.id),
          name: 'tidings',
          fields: ['@method', '@path', '@query', 'content-type', 'content-digest'],
          params: ['created', 'expires', 'nonce', 'keyid', 'alg', 'tag'],
          paramValues: { nonce: 'abcdefghijklmnopqrstuvwx', tag: 'tidings-resend' },
        },
        { method: 'POST', url, headers: { ...content, 'content-digest': contentDigestOf(request.body) } },
      );
      const headers = Object.fromEntries(Object.entries(theirs.headers).map(([name, value]) => [name.toLowerCase(), value])); // prettier-ignore
      expect(verifyRequest(request, headers, secrets)).toMatchObject({ nonce: 'abcdefghijklmnopqrstuvwx' });
    });

    it('has its answers verified there', async () => {
      const answer = { status: 200, body: Buffer.from('{"answer":"sent"}') };
      const headers = { ...signAnswer(answer, ours.signature, current) };
      const asked = { method: 'POST', url, headers: { ...ours.headers, ...content } };
      expect(await httpbis.verifyMessage({ keyLookup }, { status: 200, headers }, asked)).toBe(true);
      const other = { ...asked, headers: { ...signed.headers, ...content } };
      await expect(httpbis.verifyMessage({ keyLookup }, { status: 200, headers }, other)).resolves.toBe(false);
    });
  });
});
