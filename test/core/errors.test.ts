import { describe, expect, it } from 'vitest';
import { sentences } from '../../src/core/error-sentences.js';
import { BusyError, toBusyError, toFailure, type Facts, type Reason } from '../../src/core/errors.js';

const reasons = Object.keys(sentences) as Reason[];

/** Answers for each fact its own name. */
const everyFact = new Proxy<Facts>({}, { get: (_, key) => `<${String(key)}>` });

describe('the catalogue of reasons', () => {
  it.each(reasons)('%s says what happened and what to do', (reason) => {
    const error = new BusyError(reason, everyFact);
    expect(reason).toMatch(/^[A-Z][A-Z0-9_]*[A-Z0-9]$/);
    for (const sentence of [error.message, error.advice]) {
      expect(sentence.trim()).toBe(sentence);
      expect(sentence).not.toBe('');
      expect(sentence).not.toMatch(/undefined|\[object|NaN|\.\.$/);
    }
    expect(error.toFailure()).toEqual({ reason, message: error.message, advice: error.advice });
  });

  it('names what the error is about', () => {
    const error = new BusyError('HOST_BUSY', { host: 'web1', run: '01JD' });
    expect(error.message).toContain('"web1"');
    expect(error.message).toContain('01JD');
    expect(error.advice).toContain('busy cancel 01JD');
    expect(error.status).toBe('ABORTED');
  });

  it('says where rsync is missing, and offers rsync_path only for a host', () => {
    expect(new BusyError('RSYNC_MISSING', { where: 'host "web1"' }).advice).toContain('rsync_path');
    expect(new BusyError('RSYNC_MISSING', { where: 'the server' }).advice).not.toContain('rsync_path');
  });
});

describe('toBusyError', () => {
  it('keeps a BusyError', () => {
    const error = new BusyError('CANCELLED', { by: 'on request' });
    expect(toBusyError(error)).toBe(error);
    expect(toFailure(error).message).toBe('The run was cancelled on request.');
  });

  it.each([
    ['an error', new Error('boom'), 'Unexpected: boom.'],
    ['a text', 'boom', 'Unexpected: boom.'],
    ['nothing', undefined, 'Unexpected: undefined.'],
  ])('makes INTERNAL of %s and keeps it as the cause', (_, thrown, message) => {
    const error = toBusyError(thrown);
    expect(error.reason).toBe('INTERNAL');
    expect(error.message).toBe(message);
    expect(error.cause).toBe(thrown);
  });
});
