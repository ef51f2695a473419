/** A call of the API that has ended, for those who count. */
export interface EndedCall {
  /** `/busy.v1.HostService/ListHosts` */
  readonly method: string;
  /** As gRPC names it, for example `NOT_FOUND`. */
  readonly code: string;
  readonly durationMs: number;
  /** It may last as long as its caller wants, so its duration says nothing. */
  readonly isStream: boolean;
}
