import type { MethodDefinition } from '@grpc/grpc-js';

/** Messages cross gRPC as bytes; `proto/convert/` makes and reads them, so that its errors reach the other end as they are and one encoding can go to many. */
export type WireMethod = MethodDefinition<Buffer, Buffer>;

const asIs = (bytes: Buffer): Buffer => bytes;

const wireMethod = (path: string, streams: { request: boolean; response: boolean }): WireMethod => ({
  path, requestStream: streams.request, responseStream: streams.response,
  requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs,
});

const unary = { request: false, response: false };

/** Service `orch.node.v1.NodeControl` of node.proto. */
export const nodeControlMethods = {
  session: wireMethod('/orch.node.v1.NodeControl/Session', { request: true, response: true }),
  renewCertificate: wireMethod('/orch.node.v1.NodeControl/RenewCertificate', unary),
  publishLogs: wireMethod('/orch.node.v1.NodeControl/PublishLogs', { request: true, response: false }),
} as const;

/** Service `orch.join.v1.Join` of join.proto. */
export const joinMethods = {
  getCa: wireMethod('/orch.join.v1.Join/GetCa', unary),
  issueCertificate: wireMethod('/orch.join.v1.Join/IssueCertificate', unary),
} as const;
