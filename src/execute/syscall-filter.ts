/**
 * A filter of system calls (seccomp, in the code of the BPF machine) for a confined rsync. It keeps CAP_SYS_ADMIN, which
 * rsync needs for trusted.* and security.* attributes and for nothing else, from being a way out: no mounts, no
 * namespaces, no files by handle, no device control, no other process, no kernel modules; and no sockets, so no network.
 */

/** What the kernel reads of a call: its number, the machine it is for, and the low half of its first argument. */
const offsets = { number: 0, machine: 4, firstArgument: 16 } as const;

/** Instructions of the BPF machine. */
const load = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const jumpIfAnyBit = 0x45;
const answer = 0x06;

const allow = 0x7fff0000;
const kill = 0x80000000;
const fail = (errno: number): number => 0x00050000 + errno;
const errno = { EPERM: 1, EACCES: 13, ENOTTY: 25, ENOSYS: 38 } as const;

/** All of CLONE_NEWNS to CLONE_NEWNET. */
const newNamespace = 0x7e020000;

/** Numbers of calls that are the same on all machines. */
const newerCalls = {
  // open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr, statmount, listmount, open_tree_attr
  mounts: [428, 429, 430, 431, 432, 433, 442, 457, 458, 467],
  // io_uring_setup, io_uring_enter, io_uring_register: they make calls that no filter sees
  rings: [425, 426, 427],
  // pidfd_getfd, process_madvise, quotactl_fd
  others: [438, 440, 443],
} as const;

interface Machine {
  readonly audit: number;
  /** Calls by another numbering begin here; null: there is none. */
  readonly foreign: number | null;
  readonly denied: readonly number[];
  readonly ioctl: number;
  readonly clone: number;
  readonly socket: number;
}

const clone3 = 435;

const machines: Readonly<Record<string, Machine>> = {
  x64: {
    audit: 0xc000003e,
    foreign: 0x40000000,
    denied: [
      // pivot_root, chroot, mount, umount2, swapon, swapoff, unshare, setns
      155, 161, 165, 166, 167, 168, 272, 308,
      // ptrace, process_vm_readv, process_vm_writev, kcmp, name_to_handle_at, open_by_handle_at
      101, 310, 311, 312, 303, 304,
      // init_module, delete_module, finit_module, kexec_load, kexec_file_load, bpf, perf_event_open, userfaultfd
      175,
      176, 313, 246, 320, 321, 298, 323,
      // add_key, request_key, keyctl, quotactl, acct, reboot, syslog, vhangup, iopl, ioperm, modify_ldt, personality
      248,
      249, 250, 179, 163, 169, 103, 153, 172, 173, 154, 135,
      // sethostname, setdomainname, settimeofday, clock_settime, adjtimex, clock_adjtime, fanotify_init, lookup_dcookie
      170,
      171, 164, 227, 159, 305, 300, 212,
      // mbind, set_mempolicy, migrate_pages, move_pages
      237, 238, 256, 279,
    ],
    ioctl: 16,
    clone: 56,
    socket: 41,
  },
  arm64: {
    audit: 0xc00000b7,
    foreign: null,
    denied: [
      41, 51, 40, 39, 224, 225, 97, 268, 117, 270, 271, 272, 264, 265, 105, 106, 273, 104, 294, 280, 241, 282,
      217, 218, 219, 60, 89, 142, 116, 58, 92, 161, 162, 170, 112, 171, 266, 262, 18, 235, 237, 238, 239,
    ],
    ioctl: 29,
    clone: 220,
    socket: 198,
  },
};

/**
 * The filter for a machine as `process.arch` names it; null for one whose calls are not known here. With
 * `mayAskNames` local sockets can be made: the users of a directory service are asked for through one.
 */
export function syscallFilter(arch: string, mayAskNames: boolean): Buffer | null {
  const machine = machines[arch];
  if (!machine) return null;
  const { mounts, rings, others } = newerCalls;
  return assemble([
    [load, 0, 0, offsets.machine],
    [jumpIfEqual, 1, 0, machine.audit],
    [answer, 0, 0, kill],
    [load, 0, 0, offsets.number],
    ...(machine.foreign === null
      ? []
      : [[jumpIfAtLeast, 0, 1, machine.foreign] as const, [answer, 0, 0, fail(errno.ENOSYS)] as const]),
    ...[...machine.denied, ...mounts, ...rings, ...others].flatMap((call) => when(call, errno.EPERM)),
    // Terminals and file systems have thousands of these; rsync needs none.
    ...when(machine.ioctl, errno.ENOTTY),
    // Its flags lie in memory, where no filter sees them; the C library then takes clone.
    ...when(clone3, errno.ENOSYS),
    [jumpIfEqual, 0, 4, machine.clone],
    [load, 0, 0, offsets.firstArgument],
    [jumpIfAnyBit, 0, 1, newNamespace],
    [answer, 0, 0, fail(errno.EPERM)],
    [answer, 0, 0, allow],
    [jumpIfEqual, 0, 3, machine.socket],
    [load, 0, 0, offsets.firstArgument],
    // AF_UNIX
    [jumpIfEqual, mayAskNames ? 1 : 0, 0, 1],
    [answer, 0, 0, fail(errno.EACCES)],
    [answer, 0, 0, allow],
  ]);
}

/** Code, places to jump when so and when not, and a value. */
type Instruction = readonly [code: number, so: number, not: number, value: number];

function when(call: number, number: number): Instruction[] {
  return [
    [jumpIfEqual, 0, 1, call],
    [answer, 0, 0, fail(number)],
  ];
}

function assemble(instructions: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(8 * instructions.length);
  for (const [index, [code, so, not, value]] of instructions.entries()) {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(so, 8 * index + 2);
    bytes.writeUInt8(not, 8 * index + 3);
    bytes.writeUInt32LE(value, 8 * index + 4);
  }
  return bytes;
}
