/** Shell programs that stand in place of rsync on a hostile host. */

/** Runs the real rsync, but with another connector: `change` works on the words that rsync asks the server for. */
export function askingFor(change: string): string {
  const connector = `${change}
printf "%s\\0" "$#" "$@" >&4; exec 5<&0; cat <&5 >&4 & exec 4>&- 5<&-; exec cat <&3`;
  return `cat > "$0-connector" <<'CONNECTOR'
${connector}
CONNECTOR
connector="$0-connector"
shell=
for word in "$@"; do
  shift
  if [ "$shell" = -e ]; then set -- "$@" "/bin/sh $connector"; else set -- "$@" "$word"; fi
  shell=$word
done
exec rsync "$@"`;
}

/** Replaces a name in the stream by one of the same length that leads out of the directory. */
const renaming = `${process.execPath} -e "process.stdin.on('data', (bytes) => process.stdout.write(
  Buffer.from(bytes.toString('latin1').replaceAll('AA_AA_evil', '../../evil'), 'latin1')))"`;
export const pullDotDot = `rsync "$@" | ${renaming}`;
export const pushDotDot = `exec 6>&4; { rsync "$@" 4>&1 1>&2; } | ${renaming} >&6`;

/** Sends other files than asked for as the inner one of two source directories. */
export const sendingPlanted = `for word in "$@"; do
  shift
  case "$word" in */outer/deep/) word="$(dirname "$0")/../planted/";; esac
  set -- "$@" "$word"
done
exec rsync "$@"`;

/** The whole transfer, and then a megabyte that nobody has asked for. */
export const pullMore = 'rsync "$@"; status=$?; head -c 1000000 /dev/urandom; exit $status';
export const pushMore = 'rsync "$@"; status=$?; head -c 1000000 /dev/urandom >&4; exit $status';
