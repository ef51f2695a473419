import { describe, expect, it } from 'vitest';
import { fixedDefaults, settingsInEffect } from '../../src/config/settings-in-effect.js';
import { checkHostSettings } from '../../src/config/stored-hosts.js';
import { settingNames } from '../../src/rpc/host-settings.js';

const place = { name: 'web1', stateDir: '/state', defaults: {} };

function one(name: string, own: object, defaults: object = {}) {
  const found = settingsInEffect({ ...own }, { ...place, defaults: { ...defaults } });
  return found.find((setting) => setting.name === name);
}

describe('the settings that are in effect', () => {
  it('are the own ones, else those of defaults, else those of BUSY', () => {
    expect(one('max_incr', { max_incr: 3 }, { max_incr: 5 })).toMatchObject({
      values: ['3'],
      source: 'host',
    });
    expect(one('max_incr', {}, { max_incr: 5 })).toMatchObject({ values: ['5'], source: 'defaults' });
    expect(one('max_incr', { max_incr: null })).toMatchObject({ values: ['10'], source: 'built-in' });
  });

  it('have a text for each entry of a list or a map, and none where there is no value', () => {
    expect(one('srcdirs', { srcdirs: ['/etc', '/home'] })?.values).toEqual(['/etc', '/home']);
    expect(one('keep', { keep: { last: 3, daily: 7 } })?.values).toEqual(['last: 3', 'daily: 7']);
    expect(one('excludes', { excludes: [] }, { excludes: ['*.tmp'] })).toMatchObject({
      values: [],
      source: 'host',
    });
    expect(one('email', { email: 'root@localhost' })?.values).toEqual(['root@localhost']);
  });

  it('name what is made of the name of the host', () => {
    expect(one('addresses', {})?.values).toEqual(['web1']);
    expect(one('addresses', {}, { hostname: 'web1.example' })?.values).toEqual(['web1.example']);
    expect(one('identity_file', {})?.values).toEqual(['/state/keys/web1']);
  });

  it('say what each may be, and leave out none of the contract', () => {
    const all = settingsInEffect({}, place);
    expect(all.filter(({ allowed }) => allowed === '' || allowed === 'nothing')).toEqual([]);
    const names = all.map(({ name }) => name);
    expect(settingNames.filter((name) => !names.includes(name))).toEqual([]);
  });

  it('are by default what a host without settings gets', () => {
    const least = { backupdir: '/b', srcdirs: ['/etc'] };
    const named = Object.fromEntries(
      Object.entries(fixedDefaults).filter(([, value]) => value !== undefined),
    );
    const parts = { hostDefaults: {}, stateDir: '/state' };
    expect(checkHostSettings('web1', { ...named, ...least }, parts)).toEqual(
      checkHostSettings('web1', least, parts),
    );
  });
});
