/** Numbers and times as people read them. Pure; time is an argument. */
const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** "0 B", "1.2 GiB"; 1024-based. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 and more would round to "1024.0".
  while (value >= 1023.95 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${byteUnits[unit]}`;
}

/** "12,034". */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** "0.8 s", "12 s", "1 min 12 s", "2 h 05 min", "3 d 4 h". */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${pad(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** "12 s ago", "3 min ago", "3 h ago", "5 d ago"; "-" for no time. A time to come (clocks differ) is "just now". */
export function formatAge(time: Date | undefined, now: Date): string {
  if (time === undefined) return '-';
  const seconds = Math.floor((now.getTime() - time.getTime()) / 1000);
  if (seconds < 1) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** "2026-11-22 20:00:05" in the zone of the reader; "-" for no time. */
export function formatTime(time: Date | undefined): string {
  if (time === undefined) return '-';
  const date = [time.getFullYear(), pad(time.getMonth() + 1), pad(time.getDate())].join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(pad).join(':')}`;
}

/** "rwxr-xr-x", "rwsr-sr-t": permission bits as `ls` shows them. */
export function permissionText(mode: number): string {
  const bits = [6, 3, 0].map((shift, index) => {
    const three = (mode >> shift) & 7;
    const isSpecial = ((mode >> 9) & (4 >> index)) !== 0;
    const letter = index === 2 ? 't' : 's';
    const execute = (three & 1) !== 0;
    const last = isSpecial ? (execute ? letter : letter.toUpperCase()) : execute ? 'x' : '-';
    return `${three & 4 ? 'r' : '-'}${three & 2 ? 'w' : '-'}${last}`;
  });
  return bits.join('');
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
