import { orch } from '../gen/node.js';
import { decodeWire, toBuffer } from './fields.ts';

export type RenewalRequest = { readonly csrPem: string };
export type RenewalResponse = { readonly certificatePem: string; readonly caPem: string };

export function encodeRenewalRequest(request: RenewalRequest): Buffer {
  return toBuffer(orch.node.v1.RenewCertificateRequest.encode(request).finish());
}

export function decodeRenewalRequest(bytes: Uint8Array): RenewalRequest {
  const { csrPem } = decodeWire<orch.node.v1.RenewCertificateRequest>((reader) => orch.node.v1.RenewCertificateRequest.decode(reader), bytes, 'request for a new certificate');
  return { csrPem };
}

export function encodeRenewalResponse(response: RenewalResponse): Buffer {
  return toBuffer(orch.node.v1.RenewCertificateResponse.encode(response).finish());
}

export function decodeRenewalResponse(bytes: Uint8Array): RenewalResponse {
  const { certificatePem, caPem } = decodeWire<orch.node.v1.RenewCertificateResponse>((reader) => orch.node.v1.RenewCertificateResponse.decode(reader), bytes, 'new certificate');
  return { certificatePem, caPem };
}
