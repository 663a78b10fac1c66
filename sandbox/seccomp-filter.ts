/** A processor architecture: its number for audits, its calls that differ from those of others, and the refused ones. */
interface Architecture {
  readonly audit: number;
  /** Calls from this number on belong to another calling convention (x32), which would bypass the filter. */
  readonly foreignFrom: number | undefined;
  readonly clone: number;
  readonly socket: number;
  readonly ioctl: number;
  readonly refused: readonly number[];
  /** Memory that belongs to no process and to no folder with a limit: memfd_create, shmget. */
  readonly memory: readonly number[];
}

/** Calls with the same number on every architecture of the last years. */
const NEWER = {
  refused: [
    ...[428, 429, 430, 431, 432, 433, 442, 467], // open_tree, move_mount, fsopen … mount_setattr, open_tree_attr
    ...[438, 440, 443], // pidfd_getfd, process_madvise, quotactl_fd
  ],
  /** clone3 (its flags are in memory, which a filter cannot read) and io_uring, for which programs have a fallback. */
  absent: [435, 425, 426, 427, 447], // 447: memfd_secret
};

/**
 * Refused, because a model has no use for them and each has led out of sandboxes: mounts, namespaces, other processes'
 * memory, keys, kernel modules, tracing, clocks, swap, reboot. Numbers are those of Linux's system call tables.
 */
const ARCHITECTURES: Readonly<Partial<Record<string, Architecture>>> = {
  x64: {
    audit: 0xc000003e,
    foreignFrom: 0x40000000,
    ...{ clone: 56, socket: 41, ioctl: 16, memory: [319, 29] },
    refused: [
      ...[165, 166, 155, 161, 272, 308], // mount, umount2, pivot_root, chroot, unshare, setns
      ...[101, 310, 311, 312], // ptrace, process_vm_readv, process_vm_writev, kcmp
      ...[246, 320, 175, 313, 176, 321, 298], // kexec, kernel modules, bpf, perf_event_open
      ...[248, 249, 250, 323, 304, 303], // keys, userfaultfd, open_by_handle_at, name_to_handle_at
      ...[163, 167, 168, 169, 103, 179, 164, 227, 305, 159], // acct, swap, reboot, syslog, quotactl, clocks
      ...[172, 173, 154, 135, 212, 180, 134, 136, 139, 156, 153, 300], // ports, personality, old calls, fanotify_init
    ],
  },
  arm64: {
    audit: 0xc00000b7,
    foreignFrom: undefined,
    ...{ clone: 220, socket: 198, ioctl: 29, memory: [279, 194] },
    refused: [
      ...[40, 39, 41, 51, 97, 268],
      ...[117, 270, 271, 272],
      ...[104, 294, 105, 273, 106, 280, 241],
      ...[217, 218, 219, 282, 265, 264],
      ...[89, 224, 225, 142, 116, 60, 170, 112, 266, 171],
      ...[92, 18, 42, 58, 262],
    ],
  },
};

/** Other families, such as sockets to a virtual machine's host, know no namespaces. */
const [LOCAL, IPV4, IPV6, NETLINK] = [1, 2, 10, 16];
/** The default, TCP and UDP. The memory of others, such as UDP-Lite and SCTP, would not be measured. */
const INTERNET_PROTOCOLS = [0, 6, 17];
/** Lists interfaces and addresses. Through other protocols of netlink, processes can fill each other's queues. */
const NETLINK_ROUTE = 0;
/** Types of sockets from here on are neither streams nor datagrams. The bits above the mask are options. */
const [OTHER_SOCKET_TYPES, SOCKET_TYPE_MASK] = [3, 0xf];
/** Any namespace in the flags of clone. */
const NAMESPACE_FLAGS = 0x7e020000;
/** They type into the terminal of whoever started Davit. */
const TERMINAL_REQUESTS = [0x5412, 0x541c];

const [EPERM, ENOSYS, EPROTONOSUPPORT, EAFNOSUPPORT] = [1, 38, 93, 97];
const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const refuse = (error: number) => 0x00050000 | error;

const [LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x54, 0x06];
/** Offsets in `struct seccomp_data`; arguments are 64 bits, of which the lower half decides here. */
const [NUMBER_AT, ARCHITECTURE_AT] = [0, 4];
const [FIRST_ARGUMENT_AT, SECOND_ARGUMENT_AT, THIRD_ARGUMENT_AT] = [16, 24, 32];

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/**
 * The filter of system calls for a sandboxed program, in the kernel's format (`struct sock_filter`, 8 bytes each).
 * Undefined: this processor architecture is not known here.
 */
export function makeSeccompFilter(architecture: string = process.arch): Buffer | undefined {
  const known = ARCHITECTURES[architecture];
  return known && encode(listInstructions(known));
}

function listInstructions({
  audit,
  foreignFrom,
  clone,
  socket,
  ioctl,
  refused,
  memory,
}: Architecture): readonly Instruction[] {
  return [
    [LOAD, 0, 0, ARCHITECTURE_AT],
    [EQUAL, 1, 0, audit],
    [RETURN, 0, 0, KILL_PROCESS],
    [LOAD, 0, 0, NUMBER_AT],
    ...(foreignFrom === undefined ? [] : answer(AT_LEAST, foreignFrom, refuse(ENOSYS))),
    ...[...NEWER.absent, ...memory].flatMap((number) => answer(EQUAL, number, refuse(ENOSYS))),
    ...[...refused, ...NEWER.refused].flatMap((number) => answer(EQUAL, number, refuse(EPERM))),
    ...withArgument(clone, FIRST_ARGUMENT_AT, answer(ANY_BIT, NAMESPACE_FLAGS, refuse(EPERM))),
    ...withArgument(socket, FIRST_ARGUMENT_AT, listSocketTests()),
    ...withArgument(
      ioctl,
      SECOND_ARGUMENT_AT,
      TERMINAL_REQUESTS.flatMap((request) => answer(EQUAL, request, refuse(EPERM))),
    ),
    [RETURN, 0, 0, ALLOW],
  ];
}

/** Decides by family, type and protocol. The family is loaded. */
function listSocketTests(): readonly Instruction[] {
  const forNetlink = listProtocolTests([NETLINK_ROUTE]);
  return [
    ...answer(EQUAL, LOCAL, ALLOW),
    [EQUAL, 0, forNetlink.length, NETLINK],
    ...forNetlink,
    [EQUAL, 2, 0, IPV4],
    [EQUAL, 1, 0, IPV6],
    [RETURN, 0, 0, refuse(EAFNOSUPPORT)],
    [LOAD, 0, 0, SECOND_ARGUMENT_AT],
    [AND, 0, 0, SOCKET_TYPE_MASK],
    ...answer(AT_LEAST, OTHER_SOCKET_TYPES, refuse(EPROTONOSUPPORT)),
    ...listProtocolTests(INTERNET_PROTOCOLS),
  ];
}

function listProtocolTests(allowed: readonly number[]): readonly Instruction[] {
  return [
    [LOAD, 0, 0, THIRD_ARGUMENT_AT],
    ...allowed.flatMap((protocol) => answer(EQUAL, protocol, ALLOW)),
    [RETURN, 0, 0, refuse(EPROTONOSUPPORT)],
  ];
}

/** Ends the filter with `result` if the loaded value passes the test. */
function answer(test: number, value: number, result: number): readonly Instruction[] {
  return [
    [test, 0, 1, value],
    [RETURN, 0, 0, result],
  ];
}

/** For one call: loads an argument and runs `tests`; then the call is allowed. Other calls skip all of that. */
function withArgument(call: number, argument: number, tests: readonly Instruction[]): readonly Instruction[] {
  return [[EQUAL, 0, tests.length + 2, call], [LOAD, 0, 0, argument], ...tests, [RETURN, 0, 0, ALLOW]];
}

function encode(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [i, [code, ifTrue, ifFalse, value]] of instructions.entries()) {
    bytes.writeUInt16LE(code, i * 8);
    bytes.writeUInt8(ifTrue, i * 8 + 2);
    bytes.writeUInt8(ifFalse, i * 8 + 3);
    bytes.writeUInt32LE(value, i * 8 + 4);
  }
  return bytes;
}
