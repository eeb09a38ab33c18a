import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';

/** What a manager's server shows, and the CA whose client certificates it accepts. */
export type ServerIdentity = { readonly keyPem: string; readonly certificatePem: string; readonly caPem: string };

/**
 * TLS 1.3 credentials of a manager. A client certificate is asked for and checked, but not required: nodes that join have none yet, so each method
 * looks itself (`call.getAuthContext()` holds a certificate only when its chain was verified).
 */
export class RotatingServerCredentials extends ServerCredentials {
  constructor(identity: ServerIdentity) {
    super({ requestCert: true, rejectUnauthorized: false }, contextOf(identity));
  }

  /** New connections see this identity from now on; open ones and their streams go on as they are. */
  use(identity: ServerIdentity): void {
    this.updateSecureContextOptions(contextOf(identity));
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf({ keyPem, certificatePem, caPem }: ServerIdentity): SecureContextOptions {
  // Without tickets every connection is a full handshake, so that a client certificate is checked each time.
  return { minVersion: 'TLSv1.3', key: keyPem, cert: certificatePem, ca: caPem, secureOptions: constants.SSL_OP_NO_TICKET };
}
