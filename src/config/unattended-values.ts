/** How the settings for unattended work are read: times, windows, mail. */
import { isMailAddress } from '../core/mail-address.js';
import type { MailTransport } from '../core/settings.js';
import { isTimeZone, problemOfSlot } from '../core/schedule.js';
import { parseWindow } from '../core/windows.js';
import { quoted } from './quoted.js';
import type { Reading } from './values.js';

/** A time of day or a cron expression. */
export function readSlot(text: string): Reading<string> {
  return problemOfSlot(text) === null ? { value: text } : { wrong: `is ${quoted(text)}` };
}

export function readTimeOfDay(text: string): Reading<string> {
  return /^([01]?\d|2[0-3]):[0-5]\d$/.test(text) ? { value: text } : { wrong: `is ${quoted(text)}` };
}

export function readTimeZone(text: string): Reading<string> {
  return isTimeZone(text)
    ? { value: text }
    : { wrong: `is ${quoted(text)}, which this system does not know` };
}

export function readWindow(text: string): Reading<string> {
  return parseWindow(text) === null ? { wrong: `is ${quoted(text)}` } : { value: text };
}

export function readMailAddress(text: string): Reading<string> {
  return isMailAddress(text) ? { value: text } : { wrong: `is ${quoted(text)}` };
}

export function readMailTransport(text: string): Reading<MailTransport> {
  if (text === 'sendmail') return { value: { kind: 'sendmail' } };
  const match = /^(smtps?):\/\/(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::(\d{1,5}))?\/?$/.exec(text);
  const port = Number(match?.[3] ?? (match?.[1] === 'smtps' ? 465 : 25));
  if (!match?.[2] || port < 1 || port > 65_535)
    return { wrong: 'is no such transport (logins go into user and password_file)' };
  return {
    value: { kind: 'smtp', host: match[2].replace(/^\[|\]$/g, ''), port, isTls: match[1] === 'smtps' },
  };
}
