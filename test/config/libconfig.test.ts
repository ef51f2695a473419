import { describe, expect, it } from 'vitest';
import { parseLibconfig, type LibconfigGroup, type LibconfigValue } from '../../src/config/libconfig.js';
import { LibconfigError } from '../../src/config/libconfig-tokens.js';

describe('the syntax of libconfig', () => {
  it.each<[string, unknown]>([
    ['', {}],
    ['a = 1;', { a: 1 }],
    ['a : 1', { a: 1 }],
    ['a = 1, b = 2 c = 3;', { a: 1, b: 2, c: 3 }],
    ['a = "x" ; b="" ;', { a: 'x', b: '' }],
    ['a = "one " "two"\n  # between\n "\\n";', { a: 'one two\n' }],
    ['a = "tab\\t quote\\" slash\\\\ hex\\x41 other\\.";', { a: 'tab\t quote" slash\\ hexA other\\.' }],
    ['a = "# no // comment /* here */";', { a: '# no // comment /* here */' }],
    ['a = "two\nlines";', { a: 'two\nlines' }],
    ['a = "ü";', { a: 'ü' }],
    ['a = -5; b = +7; c = 010;', { a: -5, b: 7, c: 10 }],
    ['a = 0x1F; b = 64L; c = 3000000000LL;', { a: 31, b: 64, c: 3_000_000_000 }],
    ['a = 9223372036854775807L;', { a: 9_223_372_036_854_775_807n }],
    ['a = 0.5; b = 7.; c = .25; d = -1e3; e = 1.5E-2;', { a: 0.5, b: 7, c: 0.25, d: -1000, e: 0.015 }],
    ['a = true; b = FALSE;', { a: true, b: false }],
    ['a = ["x", "y",];', { a: ['x', 'y'] }],
    ['a = []; b = (); c = {};', { a: [], b: [], c: {} }],
    ['a = (1, "x", { b = [2]; }, (true));', { a: [1, 'x', { b: [2] }, [true]] }],
    ['a: { b: { c = 1 } };', { a: { b: { c: 1 } } }],
    ['web-1 = 1; *x_2 = 2;', { 'web-1': 1, '*x_2': 2 }],
    ['# one\r\n// two\r\n/* three\n * four */ a = 1; # five', { a: 1 }],
    ['/**/a = 1;/* * / */', { a: 1 }],
    ['\uFEFFa = 1;', { a: 1 }],
  ])('reads %j', (text, expected) => {
    expect(plain(parseLibconfig(text))).toEqual(expected);
  });

  it('knows the lines of settings', () => {
    const settings = parseLibconfig('a = 1;\n/* x\n y */ b = 2;\n');
    expect([...settings].map(([name, { line }]) => [name, line])).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
  });

  it.each([
    ['a', '1:2: the end of the file is not expected here; allowed: = or : after a'],
    ['a = 1;\n  b = ;', '2:7: ";" is not expected here; allowed: a text in quotes, a number'],
    ['a = 1; a = 2;', '1:8: a stands there twice; allowed: each name once in a group'],
    ['a = { b = 1;', '1:13: the end of the file is not expected here; allowed: the name of a setting, or }'],
    ['a = 1; }', '1:8: "}" is not expected here; allowed: the name of a setting, or the end of the file'],
    ['a = ("x" 1);', '1:10: 1 is not expected here; allowed: a comma or )'],
    ['a = ["x", 1];', '1:6: this array mixes its values; allowed: texts only'],
    ['a = [{}];', '1:6: this array mixes its values'],
    ['a = (,);', '1:6: "," is not expected here'],
    ['a = "x;\nb = 1;', '1:5: this text has no end; allowed: a closing "'],
    ['a = 1; /* b', '1:8: this comment has no end; allowed: a closing */'],
    ['a = 1x;', '1:5: "1x" is no number; allowed: numbers such as 10'],
    ['a = 1.2.3;', '1:5: "1.2.3" is no number'],
    ['a = yes;', '1:5: yes is not expected here; allowed: a text in quotes'],
    ["a = 'x';", `1:5: "'" has no meaning here`],
    ['@include "b.conf"', '1:1: @include is not followed; allowed: one file'],
    ['= 1', '1:1: "=" is not expected here; allowed: the name of a setting'],
    ['mysql_password "geheim"', '1:16: a text is not expected here; allowed: = or : after mysql_password'],
    [`a = ${'('.repeat(60)}`, '1:55: this lies too deep; allowed: at most 50 levels'],
  ])('refuses %j', (text, message) => {
    const refused = (): unknown => parseLibconfig(text);
    expect(refused).toThrow(LibconfigError);
    expect(refused).toThrow(message);
    expect(refused).not.toThrow('geheim');
  });
});

/** Without the lines. */
function plain(value: LibconfigValue | LibconfigGroup): unknown {
  if (value instanceof Map) {
    const settings: LibconfigGroup = value;
    return Object.fromEntries([...settings].map(([name, setting]) => [name, plain(setting.value)]));
  }
  return Array.isArray(value) ? value.map((item: LibconfigValue) => plain(item)) : value;
}
