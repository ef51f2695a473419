/** What the page takes for a daemon that is away, and what for its answer. */
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../../clients/web/gen/google/rpc/error_details_pb.js';
import { isWorthTryingAgain, troubleOf } from '../../../clients/web/page/api/errors.js';

it.each([Code.Unavailable, Code.Unknown, Code.Aborted, Code.Canceled, Code.Internal])(
  'code %i of a broken connection is worth trying again',
  (code) => {
    const error = new ConnectError('stream closed', code);
    expect(isWorthTryingAgain(error)).toBe(true);
    expect(troubleOf(error).message).toBe('The daemon does not answer.');
  },
);

it('what the daemon itself has said with a reason is not', () => {
  const value = create(ErrorInfoSchema, { reason: 'HOST_CHANGED', domain: 'busy' });
  const details = [{ desc: ErrorInfoSchema, value }];
  const error = new ConnectError('web1 was changed', Code.Aborted, undefined, details);
  expect(isWorthTryingAgain(error)).toBe(false);
  expect(troubleOf(error)).toMatchObject({ reason: 'HOST_CHANGED', message: 'web1 was changed' });
  expect(isWorthTryingAgain(new ConnectError('no', Code.PermissionDenied))).toBe(false);
  expect(isWorthTryingAgain(new Error('a fault of the page'))).toBe(false);
});
