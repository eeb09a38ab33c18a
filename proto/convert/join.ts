import { orch } from '../gen/join.js';
import type { JoinPlane } from '../session-messages.ts';
import { decodeWire, oneOf, toBuffer, wholeNumber } from './fields.ts';

type CaResponse = ReturnType<JoinPlane['ca']>;
/** What a joiner sends; the manager adds the address it came from. */
export type JoinRequest = Omit<Parameters<JoinPlane['issueCertificate']>[0], 'remoteAddress'>;
export type JoinResponse = Awaited<ReturnType<JoinPlane['issueCertificate']>>;

/** The whole request for the CA: it has no fields. */
export const caRequest = Buffer.alloc(0);

export function encodeCaResponse(response: CaResponse): Buffer {
  return toBuffer(orch.join.v1.GetCaResponse.encode(response).finish());
}

export function decodeCaResponse(bytes: Uint8Array): CaResponse {
  const wire = decodeWire<orch.join.v1.GetCaResponse>((reader) => orch.join.v1.GetCaResponse.decode(reader), bytes, 'CA certificate');
  return { caPem: wire.caPem, nowMs: wholeNumber(wire.nowMs, 'The time of a manager') };
}

export function encodeJoinRequest(request: JoinRequest): Buffer {
  return toBuffer(orch.join.v1.IssueCertificateRequest.encode(request).finish());
}

/** Throws ORCH_INVALID for bytes that are not a request to join. */
export function decodeJoinRequest(bytes: Uint8Array): JoinRequest {
  const wire = decodeWire<orch.join.v1.IssueCertificateRequest>((reader) => orch.join.v1.IssueCertificateRequest.decode(reader), bytes, 'request to join');
  return {
    token: wire.token, csrPem: wire.csrPem, availability: wire.availability, hostname: wire.hostname,
    advertiseAddress: wire.advertiseAddress, nowMs: wholeNumber(wire.nowMs, 'The time of a joiner'),
  };
}

export function encodeJoinResponse(response: JoinResponse): Buffer {
  return toBuffer(orch.join.v1.IssueCertificateResponse.encode(response).finish());
}

/** Throws ORCH_INVALID for a role that this version does not know. */
export function decodeJoinResponse(bytes: Uint8Array): JoinResponse {
  const wire = decodeWire<orch.join.v1.IssueCertificateResponse>((reader) => orch.join.v1.IssueCertificateResponse.decode(reader), bytes, 'answer to a request to join');
  return {
    nodeId: wire.nodeId, certificatePem: wire.certificatePem, caPem: wire.caPem, clusterId: wire.clusterId,
    role: oneOf(wire.role, ['worker', 'manager'], 'The role of a node'),
  };
}
