import type { Random } from './random.ts';

const ID_LENGTH = 25;
const ID_BYTES = 17;

/** A new object id: 25 characters of lower-case base36, 129 bits of chance, the form Docker Swarm uses. */
export function newId(random: Random): string {
  let value = 0n;
  for (const byte of random.bytes(ID_BYTES)) value = (value << 8n) | BigInt(byte);
  return value.toString(36).padStart(ID_LENGTH, '0').slice(-ID_LENGTH);
}

/** A new container id: 64 hexadecimal characters, as Docker's. */
export function newContainerId(random: Random): string {
  return Buffer.from(random.bytes(32)).toString('hex');
}
