import { describe, expect, it } from 'vitest';
import { CliError } from '../../../clients/cli/cli-error.js';
import { readSettingWords, toSettingWords } from '../../../clients/cli/host-words.js';

function refusal(...words: string[]): CliError {
  try {
    readSettingWords(words);
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error('The words were taken.');
}

describe('words of settings', () => {
  it.each([
    ['max_incr=5', 'maxIncr', 5],
    ['max_age_full=0.5', 'maxAgeFull', 0.5],
    ['mail_partial=false', 'mailPartial', false],
    ['schedule=22:00', 'schedule', { values: ['22:00'] }],
    ['srcdirs=/etc, /home', 'srcdirs', { values: ['/etc', '/home'] }],
    [
      'windows=["sat,sun 00:00-24:00", 22:00-06:00]',
      'windows',
      { values: ['sat,sun 00:00-24:00', '22:00-06:00'] },
    ],
    ['excludes=[]', 'excludes', { values: [] }],
    ['keep={daily: 7, weekly: 4}', 'keep', { daily: 7, weekly: 4 }],
    ['keep=daily: 7', 'keep', { daily: 7 }],
    ['keep={}', 'keep', {}],
    ['connect_timeout=30', 'connectTimeout', '30'],
    ['pre_command=a=b "c, d" # [x]', 'preCommand', 'a=b "c, d" # [x]'],
    ['host_key=ssh-ed25519 AAAA==', 'hostKey', 'ssh-ed25519 AAAA=='],
  ] as const)('%s', (word, key, value) => {
    const { settings, mask } = readSettingWords([word]);
    expect(settings[key]).toEqual(value);
    expect(mask).toEqual([word.split('=')[0]]);
    const again = toSettingWords(settings);
    expect(readSettingWords(again)).toEqual({ settings, mask });
  });

  it('without a value name what is to be removed', () => {
    const { settings, mask } = readSettingWords(['excludes=', 'max_incr=1']);
    expect(mask).toEqual(['excludes', 'max_incr']);
    expect(settings.excludes).toBeUndefined();
    expect(toSettingWords(settings)).toEqual(['max_incr=1']);
  });

  it.each([
    [['srcdirs'], '"srcdirs" is not of the form SETTING=VALUE.'],
    [['=x'], '"=x" is not of the form'],
    [['max_incr=1', 'max_incr=2'], 'given twice'],
    [['max_incr=many'], 'max_incr is "many".'],
    [['max_incr=1.5'], 'max_incr is "1.5".'],
    [['max_incr=99999999999'], 'max_incr is'],
    [['max_age_full=1,5'], 'max_age_full is "1,5".'],
    [['mail_partial=yes'], 'mail_partial is "yes".'],
    [['srcdirs=[/etc'], 'srcdirs is "[/etc".'],
    [['keep={dayly: 7}'], 'keep is'],
    [['keep={daily: a}'], 'keep is'],
    [['keep=[7]'], 'keep is'],
    [['shedule=22:00'], 'Did you mean schedule?'],
    [['max-incr=1'], 'Did you mean max_incr?'],
    [['srcdir=/etc'], 'Did you mean srcdirs?'],
    [['name=web2'], 'A host has no setting "name".'],
    [['__proto__=1'], 'A host has no setting'],
  ])('%j are refused', (words, message) => {
    const error = refusal(...words);
    expect(error.message).toContain(message);
    expect(error.kind).toBe('usage');
    expect(error.advice).not.toBe('');
  });
});
