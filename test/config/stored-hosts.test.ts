import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../src/config/schema.js';
import { checkHostSettings } from '../../src/config/stored-hosts.js';
import { settingNames } from '../../src/rpc/host-settings.js';
import { parsed } from './parsed.js';

const config = parsed('{ state_dir: /state, defaults: { backupdir: /b, max_incr: 3, jitter: 10m } }');
const bare = { hostDefaults: {}, stateDir: '/state' };

function problems(settings: object, defaults = bare): string {
  const found = checkHostSettings('web1', { ...settings }, defaults);
  if ('host' in found) throw new Error('The settings were taken.');
  return found.problems.join('\n');
}

describe('a host of the database', () => {
  it('is what it would be in the file, with the defaults of the file', () => {
    const own = { srcdirs: ['/etc'], max_incr: 5, schedule: 'never', windows: ['22:00-06:00'] };
    const defaults = 'defaults: { backupdir: /b, max_incr: 3, jitter: 10m }';
    const inFile = `{ state_dir: /state, ${defaults}, hosts: [${JSON.stringify({ name: 'web1', ...own })}] }`;
    const host = parsed(inFile).hosts[0];
    expect(host).toMatchObject({ maxIncr: 5, backupdir: '/b', schedule: { jitterMs: 600_000 } });
    expect(checkHostSettings('web1', own, config)).toEqual({ host });
  });

  it('is refused with all problems, each at its setting', () => {
    const text = problems({ srcdirs: ['etc'], max_incr: -1, shedule: 'never' });
    expect(text).toContain('srcdirs[0]: is the relative path "etc"; allowed: ');
    expect(text).toContain('max_incr: is the number -1; allowed: a whole number from 0 to 10000');
    expect(text).toContain('shedule: is no setting; did you mean schedule?');
    expect(text).toContain('backupdir: is missing, here and in defaults');
  });

  it('cannot have a name that is no directory', () => {
    const found = checkHostSettings('../etc', { backupdir: '/b', srcdirs: ['/etc'] }, bare);
    expect(found).toMatchObject({ problems: [expect.stringContaining('name: is "../etc"')] });
  });

  it('cannot call itself otherwise than its key', () => {
    const settings = { name: 'other', backupdir: '/b', srcdirs: ['/etc'] };
    expect(checkHostSettings('web1', settings, bare)).toMatchObject({ host: { name: 'web1' } });
  });
});

describe('the file', () => {
  it('keeps its defaults for hosts of the database only when it names no host', () => {
    expect(config.hostDefaults).toEqual({ backupdir: '/b', max_incr: 3, jitter: '10m' });
    expect(parsed('{ defaults: , hosts: }').hostDefaults).toEqual({});
    const text = '{ defaults: { backupdir: /b }, hosts: [{ name: web1, srcdirs: [/etc] }] }';
    expect(parsed(text).hostDefaults).toEqual({});
  });
});

describe('the contract', () => {
  it('has a field for every setting of a host, and no other', () => {
    // Whoever can set drill_command runs programs on the server as the user of the daemon.
    const onlyInFile = ['name', 'drill_command'];
    const inFile = Object.keys(settingsOf.host).filter((name) => !onlyInFile.includes(name));
    expect([...settingNames].sort()).toEqual(inFile.sort());
  });
});
