import protobuf from 'protobufjs/minimal.js';

/**
 * 64-bit fields decode as plain numbers. Without this they become objects whenever some dependency brings the `long` package along.
 * `proto/convert/` refuses the ones beyond 2^53, where a number is no longer exact.
 */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- protobufjs documents null as "no Long class", its types do not
protobuf.util.Long = null as unknown as typeof protobuf.util.Long;
protobuf.configure();
