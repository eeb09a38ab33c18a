import { OrchError } from '../../model/errors.ts';

/** Every capability of Linux, by bit number (capabilities(7)). */
export const capabilityNames = [
  'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_DAC_READ_SEARCH', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID',
  'CAP_SETPCAP', 'CAP_LINUX_IMMUTABLE', 'CAP_NET_BIND_SERVICE', 'CAP_NET_BROADCAST', 'CAP_NET_ADMIN', 'CAP_NET_RAW',
  'CAP_IPC_LOCK', 'CAP_IPC_OWNER', 'CAP_SYS_MODULE', 'CAP_SYS_RAWIO', 'CAP_SYS_CHROOT', 'CAP_SYS_PTRACE', 'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN', 'CAP_SYS_BOOT', 'CAP_SYS_NICE', 'CAP_SYS_RESOURCE', 'CAP_SYS_TIME', 'CAP_SYS_TTY_CONFIG', 'CAP_MKNOD',
  'CAP_LEASE', 'CAP_AUDIT_WRITE', 'CAP_AUDIT_CONTROL', 'CAP_SETFCAP', 'CAP_MAC_OVERRIDE', 'CAP_MAC_ADMIN', 'CAP_SYSLOG',
  'CAP_WAKE_ALARM', 'CAP_BLOCK_SUSPEND', 'CAP_AUDIT_READ', 'CAP_PERFMON', 'CAP_BPF', 'CAP_CHECKPOINT_RESTORE',
] as const;
export type Capability = (typeof capabilityNames)[number];

/** What a container has unless told otherwise: Docker's list. */
export const defaultCapabilities: readonly Capability[] = [
  'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_MKNOD', 'CAP_NET_RAW', 'CAP_SETGID', 'CAP_SETUID',
  'CAP_SETFCAP', 'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_KILL', 'CAP_AUDIT_WRITE',
];

/**
 * The capabilities of a container, in bit order: the defaults, with `add` and without `drop` (names with or without CAP_, any
 * case, or ALL), as Docker combines them. `available` is what this node may give: ALL means all of it. Throws ORCH_INVALID
 * for a name that does not exist and ORCH_UNSUPPORTED for one the node lacks.
 */
export function resolveCapabilities(add: readonly string[], drop: readonly string[], available: ReadonlySet<Capability>): Capability[] {
  const added = parseNames(add);
  const dropped = parseNames(drop);
  for (const name of added.names) {
    if (!available.has(name) && !dropped.names.has(name)) {
      throw new OrchError('ORCH_UNSUPPORTED', `Capability ${name} is not available on this node`, { hint: 'The daemon can only pass on capabilities that it has' });
    }
  }
  return capabilityNames.filter((name) => {
    if (!available.has(name)) return false;
    if (added.names.has(name)) return !dropped.names.has(name);
    if (dropped.names.has(name)) return false;
    return added.all || (!dropped.all && defaultCapabilities.includes(name));
  });
}

function parseNames(texts: readonly string[]): { all: boolean; names: ReadonlySet<Capability> } {
  const names = new Set<Capability>();
  let all = false;
  for (const text of texts) {
    const upper = text.toUpperCase();
    if (upper === 'ALL') {
      all = true;
      continue;
    }
    const name = capabilityNames.find((known) => known === upper || known === `CAP_${upper}`);
    if (name === undefined) throw new OrchError('ORCH_INVALID', `"${text}" is not a capability`, { hint: 'Write a name of capabilities(7), such as NET_ADMIN, or ALL' });
    names.add(name);
  }
  return { all, names };
}

/** The names of a mask as /proc/PID/status shows it: 16 hexadecimal digits. */
export function parseCapabilityMask(mask: string): ReadonlySet<Capability> {
  const bits = BigInt(`0x${mask}`);
  return new Set(capabilityNames.filter((_name, bit) => (bits >> BigInt(bit)) & 1n));
}
