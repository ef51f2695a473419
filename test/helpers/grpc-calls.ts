/** Calls of a generated client as promises. */
import type { Client, MethodDefinition, ServiceError } from '@grpc/grpc-js';
import { ErrorInfo } from '../../src/gen/google/rpc/error_details.js';
import { Status } from '../../src/gen/google/rpc/status.js';

type Callback<Answer> = (error: ServiceError | null, answer: Answer) => void;

/** Makes one unary call; rejects with the ServiceError. */
export function callUnary<Request, Answer>(
  client: Client,
  method: (request: Request, callback: Callback<Answer>) => unknown,
  request: Request,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    method.call(client, request, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

/** Makes one unary call by its definition, such as `BackupServiceService.getRun`; rejects with the ServiceError. */
export function callMethod<Request, Answer>(
  client: Client,
  method: MethodDefinition<Request, Answer>,
  request: Request,
): Promise<Answer> {
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) =>
      error ? reject(error) : resolve(answer as Answer),
    );
  });
}

/** The stable reason of an error that a call ended with, or '' when it carries none. */
export function reasonOf(error: unknown): string {
  const [details] = (error as ServiceError).metadata.get('grpc-status-details-bin');
  if (!(details instanceof Buffer)) return '';
  const [info] = Status.decode(details).details;
  return info ? ErrorInfo.decode(info.value).reason : '';
}
