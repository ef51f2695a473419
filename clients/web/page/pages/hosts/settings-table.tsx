/** Settings to be read: what holds, and where it comes from. */
import { SettingSource, type SettingInEffect } from '../../../gen/busy/v1/host_settings_pb.js';
import { DataTable } from '../../parts/data-table.js';
import { Foreign } from '../../parts/text.js';
import { groupOfFile, settingGroups } from './setting-groups.js';

const sources: Readonly<Record<SettingSource, string>> = {
  [SettingSource.UNSPECIFIED]: '',
  [SettingSource.HOST]: 'its own',
  [SettingSource.DEFAULTS]: 'defaults of the file',
  [SettingSource.BUILT_IN]: 'default of BUSY',
};

export function SettingsTable({ settings }: { readonly settings: readonly SettingInEffect[] }) {
  const byName = new Map(settings.map((setting) => [setting.name, setting]));
  return [...settingGroups, groupOfFile].map((group) => (
    <details key={group.title} className="group" open={group.isUsual === true}>
      <summary>{group.title}</summary>
      <DataTable name={group.title} heads={['Setting', 'Value', 'From', 'Meaning']}>
        {group.settings.map(([name, meaning]) => {
          const setting = byName.get(name);
          return (
            <tr key={name}>
              <th scope="row" className="mono">
                {name}
              </th>
              <td className="setting-value">
                {setting && setting.values.length > 0 ? (
                  setting.values.map((value) => (
                    <div key={value}>
                      <Foreign text={value} />
                    </div>
                  ))
                ) : (
                  <span className="faint">nothing</span>
                )}
              </td>
              <td className={setting?.source === SettingSource.BUILT_IN ? 'faint' : ''}>
                {sources[setting?.source ?? SettingSource.UNSPECIFIED]}
              </td>
              <td className="setting-meaning">{meaning}</td>
            </tr>
          );
        })}
      </DataTable>
    </details>
  ));
}
