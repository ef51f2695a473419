/** Adding a host to the database. */
import { useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { useLocation } from 'wouter';
import { hostService } from '../../api/clients.js';
import { keys } from '../../api/queries.js';
import { PageHeading } from '../../parts/page-heading.js';
import { OriginNote, useHostsRefusal } from './origin-note.js';
import { SettingsForm } from './settings-form.js';

export function NewHostPage() {
  const [name, setName] = useState('');
  const refusal = useHostsRefusal();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const id = useId();
  return (
    <>
      <PageHeading title="Add a host" />
      <OriginNote />
      <SettingsForm
        before={undefined}
        action="Add the host"
        isNew
        hindrance={refusal || (name === '' ? 'Give it a name first.' : '')}
        onSave={async ({ settings }) => {
          await hostService.createHost({ name, settings });
          await queries.invalidateQueries({ queryKey: keys.hosts });
          go(`/hosts/${name}/enroll`);
        }}
      >
        <div className="setting">
          <label htmlFor={id}>Name</label>
          <input
            id={id}
            value={name}
            required
            spellCheck={false}
            autoComplete="off"
            aria-describedby={`${id}-help`}
            onChange={(event) => setName(event.target.value.trim())}
          />
          <p id={`${id}-help`} className="setting-help">
            What it is called here, and the directory of its snapshots: lower-case letters, digits and . _ -
          </p>
        </div>
      </SettingsForm>
    </>
  );
}
