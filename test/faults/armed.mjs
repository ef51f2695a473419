/**
 * Fault points that go off: at the step in BUSY_FAULT (`STEP`, or `STEP@3` for its third time) daemon and executor
 * end at once, as in a crash of the machine.
 */
const [wanted, time = '1'] = (process.env.BUSY_FAULT ?? '').split('@');
let left = Number(time);

export function faultPoint(step) {
  if (step !== wanted) return;
  left -= 1;
  if (left > 0) return;
  const isExecutor = process.argv[1]?.endsWith('/executor-main.js') === true;
  // Process 1 has taken over what a dead daemon left.
  if (isExecutor && process.ppid !== 1) process.kill(process.ppid, 'SIGKILL');
  process.kill(process.pid, 'SIGKILL');
}
