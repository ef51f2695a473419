import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { HostSettingsSchema } from '../../../clients/web/gen/busy/v1/host_settings_pb.js';
import { groupOfFile, settingGroups } from '../../../clients/web/page/pages/hosts/setting-groups.js';
import {
  changedNames,
  fromTexts,
  problemsOf,
  toTexts,
} from '../../../clients/web/page/pages/hosts/setting-texts.js';
import { settingsInEffect } from '../../../src/config/settings-in-effect.js';

const texts = {
  srcdirs: '/etc\n/home',
  excludes: '[]',
  port: '2222',
  max_age_incr: '0.5',
  allow_empty: 'true',
  user: 'backup',
  keep: 'last: 3\ndaily: 7',
};

describe('the settings of a form', () => {
  it('are those of the contract, each once', () => {
    const shown = settingGroups.flatMap(({ settings }) => settings.map(([name]) => name));
    expect(shown.toSorted()).toEqual(HostSettingsSchema.fields.map(({ name }) => name).toSorted());
  });

  it('are shown with those that the file alone may set', () => {
    const shown = [...settingGroups, groupOfFile].flatMap(({ settings }) => settings.map(([name]) => name));
    const all = settingsInEffect({}, { name: 'web1', stateDir: '/state', defaults: {} });
    expect(shown.toSorted()).toEqual(all.map(({ name }) => name).toSorted());
  });

  it('become settings and texts again', () => {
    const read = fromTexts(texts);
    expect(read).toMatchObject({
      settings: {
        srcdirs: { values: ['/etc', '/home'] },
        excludes: { values: [] },
        port: 2222,
        maxAgeIncr: 0.5,
        allowEmpty: true,
        keep: { last: 3, daily: 7 },
      },
    });
    expect(toTexts('settings' in read ? read.settings : undefined)).toEqual(texts);
  });

  it('have no value where there is no text', () => {
    expect(fromTexts({ port: ' ', srcdirs: '' })).toEqual({ settings: create(HostSettingsSchema) });
    expect(toTexts(undefined)).toEqual({});
  });

  it.each([
    ['port', '22x', 'is no whole number'],
    ['port', '1.5', 'is no whole number'],
    ['max_age', 'a week', 'is no number'],
    ['keep', 'hourly: 3', 'has the line "hourly: 3"'],
  ])('%s cannot be %s', (name, text, problem) => {
    expect(fromTexts({ [name]: text })).toEqual({ problems: { [name]: expect.stringContaining(problem) } });
  });

  it('say which of them were changed', () => {
    expect(changedNames({ port: '22', user: 'root' }, { port: '22 ', srcdirs: '/etc' })).toEqual(
      expect.arrayContaining(['srcdirs', 'user']),
    );
    expect(changedNames(texts, texts)).toEqual([]);
  });
});

it('finds the setting that each problem of the daemon is about', () => {
  const list =
    'srcdirs[0]: is the relative path "etc: a"; allowed: an absolute directory\nmax_incr: is the number -1\nsrcdirs[2]: is empty\nand 3 more';
  expect(problemsOf(list)).toEqual({
    srcdirs: 'is the relative path "etc: a"; allowed: an absolute directory; is empty',
    max_incr: 'is the number -1',
  });
  expect(problemsOf('')).toEqual({});
});
