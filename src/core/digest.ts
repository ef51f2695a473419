/** When the daily digest is sent. */

/**
 * The newest moment at or before `now` at which a digest was due: `timeOfDay` (HH:MM) in the server's time zone. A
 * time that the change to summer time leaves out comes an hour later; one that comes twice counts once.
 */
export function newestDigestSlot(timeOfDay: string, now: Date): Date {
  const [hours = 0, minutes = 0] = timeOfDay.split(':').map(Number);
  const slot = new Date(now);
  slot.setHours(hours, minutes, 0, 0);
  if (slot > now) {
    slot.setDate(slot.getDate() - 1);
    slot.setHours(hours, minutes, 0, 0);
  }
  return slot;
}

/**
 * Whether the digest of `slot` must be sent, when `mark` is the slot of the one before. The first slot ever only
 * sets the mark. A digest that was missed is sent once, late.
 */
export function isDigestDue(slot: Date, mark: Date | null): boolean {
  return mark !== null && slot > mark;
}
